import { type Clock, systemClock } from '@varve/log'
import { CorruptRepositoryError, MissingObjectError } from '../base/backup-errors.ts'
import { readObjectHeader } from '../format/object-file.ts'
import { decodeRepositoryFile, repositoryFileKey } from '../format/repository-file.ts'
import { epochsPrefix } from '../keys/key-ring.ts'
import { recipientsPrefix } from '../keys/recipient.ts'
import { AuditLog, auditPrefix, rightfullyGone } from '../repository/audit-log.ts'
import {
  type BackupName,
  listBackups,
  manifestKey,
  readReferences,
  referencesKey,
} from '../repository/backup-catalogue.ts'
import { holdsPrefix } from '../repository/holds.ts'
import { Lease } from '../repository/leases.ts'
import { objectKey } from '../repository/repository.ts'
import type { Target } from '../target/target.ts'

export interface MirrorOptions {
  /** Whether backups that the first has not any more go from the second. @defaultValue false */
  readonly removesOthers?: boolean
  /** Objects that are copied at the same time. @defaultValue 4 */
  readonly lanes?: number
  readonly signal?: AbortSignal
  /** Called for each object: how many are done, of how many. */
  readonly onProgress?: (done: number, total: number) => void
  /** @defaultValue the system's */
  readonly clock?: Clock
}

/** What mirroring came to. */
export interface MirrorReport {
  readonly copiedBackups: number
  readonly copiedObjects: number
  readonly copiedBytes: number
  readonly removedBackups: number
}

/**
 * Brings a second repository to the state of a first: everything that it lacks is copied as it is,
 * encrypted or not, without a key. Each object's checksum is looked at on the way, so damage is not
 * passed on. A backup appears in the second when all of it is there. Interrupted, it goes on where
 * it was.
 *
 * Rejects with CorruptRepositoryError at the first file that is damaged or when the second is
 * another repository, with MissingObjectError, RepositoryBusyError, TargetError.
 */
export async function mirrorRepository(
  from: Target,
  to: Target,
  options: MirrorOptions = {},
): Promise<MirrorReport> {
  const { clock = systemClock } = options
  // Nothing is swept away on either side meanwhile.
  const leases = [await Lease.take('backup', from, clock)]
  try {
    leases.push(await Lease.take('backup', to, clock))
    return await new Mirroring(from, to, options).run()
  } finally {
    for (const lease of leases) await lease.release()
  }
}

class Mirroring {
  readonly #from: Target
  readonly #to: Target
  readonly #options: MirrorOptions
  readonly #counts = { copiedBackups: 0, copiedObjects: 0, copiedBytes: 0, removedBackups: 0 }

  constructor(from: Target, to: Target, options: MirrorOptions) {
    this.#from = from
    this.#to = to
    this.#options = options
  }

  async run(): Promise<MirrorReport> {
    await this.#copyRepositoryFile()
    for (const prefix of [recipientsPrefix, epochsPrefix]) await this.#copyAll(prefix)
    const there = new Set((await listBackups(this.#to)).map(manifestKey))
    const backups = await listBackups(this.#from)
    const lacking = backups.filter((name) => !there.has(manifestKey(name)))
    await this.#copyObjects(await this.#objectsOf(lacking))
    for (const name of lacking) await this.#copyBackup(name)
    await this.#copyAll(holdsPrefix)
    await this.#copyAudit()
    if (this.#options.removesOthers === true) await this.#removeOthers(backups)
    return this.#counts
  }

  async #copyRepositoryFile(): Promise<void> {
    const bytes = await this.#mustGet(repositoryFileKey)
    const { repositoryId } = decodeRepositoryFile(bytes)
    const there = await this.#to.get(repositoryFileKey)
    if (there === null) {
      await this.#to.put(repositoryFileKey, bytes)
    } else if (!decodeRepositoryFile(there).repositoryId.equals(repositoryId)) {
      throw new CorruptRepositoryError(repositoryFileKey, `${this.#to.name} is another repository`)
    }
  }

  /** Entries follow one another: where the second has some of its own, it goes on with these. */
  async #copyAudit(): Promise<void> {
    for await (const { key } of this.#to.list(auditPrefix)) {
      const there = await this.#to.get(key)
      const here = await this.#from.get(key)
      if (there === null || here === null || !there.equals(here)) return
    }
    await this.#copyAll(auditPrefix)
  }

  /** Small files that need no looking at. */
  async #copyAll(prefix: string): Promise<void> {
    const there = new Set<string>()
    for await (const { key } of this.#to.list(prefix)) there.add(key)
    for await (const { key } of this.#from.list(prefix)) {
      if (!there.has(key)) await this.#to.put(key, await this.#mustGet(key))
    }
  }

  async #objectsOf(names: readonly BackupName[]): Promise<readonly string[]> {
    const keys = new Set<string>()
    for (const name of names) {
      const references = await readReferences(this.#from, name)
      if (references === null) throw new MissingObjectError(referencesKey(name))
      for (const [set, ids] of references) {
        for (const id of ids) keys.add(objectKey(set, id))
      }
    }
    return [...keys]
  }

  async #copyObjects(keys: readonly string[]): Promise<void> {
    const waiting = keys.toReversed()
    let done = 0
    const lane = async (): Promise<void> => {
      for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
        this.#options.signal?.throwIfAborted()
        await this.#copyObject(key)
        this.#options.onProgress?.(++done, keys.length)
      }
    }
    const lanes = Array.from({ length: this.#options.lanes ?? 4 }, lane)
    const results = await Promise.allSettled(lanes)
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async #copyObject(key: string): Promise<void> {
    if ((await this.#to.stat(key)) !== null) return
    const bytes = await this.#mustGet(key)
    const { id } = readObjectHeader(bytes, key)
    if (!key.endsWith(id.toString('hex'))) {
      throw new CorruptRepositoryError(key, 'it is another object')
    }
    await this.#to.put(key, bytes)
    this.#counts.copiedObjects++
    this.#counts.copiedBytes += bytes.length
  }

  async #copyBackup(name: BackupName): Promise<void> {
    const manifest = await this.#mustGet(manifestKey(name))
    readObjectHeader(manifest, manifestKey(name))
    await this.#to.put(referencesKey(name), await this.#mustGet(referencesKey(name)))
    await this.#to.put(manifestKey(name), manifest)
    this.#counts.copiedBackups++
  }

  async #removeOthers(backups: readonly BackupName[]): Promise<void> {
    const here = new Set(backups.map(manifestKey))
    const { clock = systemClock } = this.#options
    const audit = new AuditLog(this.#to, null)
    for (const name of await listBackups(this.#to)) {
      if (here.has(manifestKey(name))) continue
      const { backupId } = name
      const isSaid = (await rightfullyGone(audit)).has(backupId)
      if (!isSaid) {
        const action = 'mirror'
        await audit.add({ atMs: clock.now(), action, details: backupId, actor: null })
      }
      await this.#to.remove(manifestKey(name))
      this.#counts.removedBackups++
    }
  }

  async #mustGet(key: string): Promise<Buffer> {
    const bytes = await this.#from.get(key)
    if (bytes === null) throw new MissingObjectError(key)
    return bytes
  }
}
