import { createHash, createHmac } from 'node:crypto'
import { BackupNotFoundError, CorruptRepositoryError } from '../base/backup-errors.ts'
import type { StoredPartition } from '../format/manifest.ts'
import {
  backupIdPattern,
  decodeManifest,
  encodeManifest,
  type Manifest,
} from '../format/manifest.ts'
import {
  decodePartitionList,
  encodePartitionList,
  type PartitionList,
} from '../format/partition-list.ts'
import {
  decodeReferences,
  encodeReferences,
  type ObjectReferences,
} from '../format/reference-list.ts'
import type { Target } from '../target/target.ts'
import type { Repository } from './repository.ts'

export const manifestsPrefix = 'manifests/'
export const referencesPrefix = 'references/'

/** A backup by the name of its files. What is in it may not be readable to everybody. */
export interface BackupName {
  /** Tells sources apart; not their name. */
  readonly sourceId: string
  readonly sequence: number
  readonly backupId: string
}

export function manifestKey({ sourceId, sequence, backupId }: BackupName): string {
  return `${manifestsPrefix}${sourceId}/${padded(sequence)}-${backupId}`
}

export function referencesKey({ sourceId, sequence, backupId }: BackupName): string {
  return `${referencesPrefix}${sourceId}/${padded(sequence)}-${backupId}`
}

const padded = (sequence: number): string => String(sequence).padStart(10, '0')

const namePattern = /^(?:manifests|references)\/([0-9a-f]{32})\/(\d{10,16})-([^/]+)$/

/** Null for the key of no manifest. */
export function parseBackupKey(key: string): BackupName | null {
  const match = namePattern.exec(key)
  if (match === null) return null
  const [, sourceId = '', sequence = '', backupId = ''] = match
  if (!backupIdPattern.test(backupId)) return null
  return { sourceId, sequence: Number(sequence), backupId }
}

/** A manifest, and the SHA-256 of its file, by which the next one names it. */
export interface ReadManifest {
  readonly name: BackupName
  readonly manifest: Manifest
  readonly fileHash: Buffer
}

/** The backups in a repository. */
export class BackupCatalogue {
  readonly #repository: Repository

  constructor(repository: Repository) {
    this.#repository = repository
  }

  /** Where the backups of a source are. Says nothing of its name to whoever has no key. */
  sourceIdOf(source: string): string {
    const { idKey } = this.#repository.keys.naming
    const hash = idKey === null ? createHash('sha256') : createHmac('sha256', idKey)
    return hash.update(`varve source ${source}`).digest('hex').slice(0, 32)
  }

  /** As {@link listBackups}. */
  list(sourceId: string | null = null): Promise<readonly BackupName[]> {
    return listBackups(this.#repository.target, sourceId)
  }

  /** Rejects with BackupNotFoundError, CorruptRepositoryError, BackupKeyError. */
  async read(name: BackupName): Promise<ReadManifest> {
    const key = manifestKey(name)
    const bytes = await this.#repository.target.get(key)
    if (bytes === null) throw new BackupNotFoundError(name.backupId, this.#repository.target.name)
    const content = await this.#repository.decode('manifest', key, bytes, null)
    const manifest = decodeManifest(content, key)
    const isItself =
      manifest.backupId === name.backupId &&
      manifest.sequence === name.sequence &&
      this.sourceIdOf(manifest.source) === name.sourceId
    if (!isItself) throw new CorruptRepositoryError(key, 'it is the manifest of another backup')
    return { name, manifest, fileHash: createHash('sha256').update(bytes).digest() }
  }

  /**
   * A backup by its id, an unambiguous beginning of it, the name of its point, or `latest`.
   * Rejects with BackupNotFoundError.
   */
  async find(wanted: string, source: string | null = null): Promise<ReadManifest> {
    const names = await this.list(source === null ? null : this.sourceIdOf(source))
    const where = this.#repository.target.name
    if (wanted === 'latest') {
      const newest = newestOf(names)
      if (newest === null) throw new BackupNotFoundError(wanted, where)
      return this.read(newest)
    }
    const [only, ...others] = names.filter(({ backupId }) => backupId.startsWith(wanted))
    if (only !== undefined && others.length === 0) return this.read(only)
    if (others.length > 0) throw new BackupNotFoundError(`with the one id ${wanted}`, where)
    for (const name of names.toReversed()) {
      const read = await this.read(name)
      if (read.manifest.point === wanted) return read
    }
    throw new BackupNotFoundError(wanted, where)
  }

  async partitionList(manifest: Manifest, stored: StoredPartition): Promise<PartitionList> {
    const set = manifest.sets[stored.set] ?? ''
    const content = await this.#repository.getObject('partition', set, stored.list)
    const key = `the list of ${stored.topic}-${stored.partition}`
    const list = decodePartitionList(content, key)
    if (list.topic === stored.topic && list.partition === stored.partition) return list
    throw new CorruptRepositoryError(key, 'it is of another partition')
  }

  /** Stores the list of a partition. */
  putPartitionList(
    set: string,
    list: PartitionList,
    modeFor?: (key: string) => 'new' | 'replace',
  ): Promise<{ readonly id: Buffer; readonly storedBytes: number }> {
    return this.#repository.putObject('partition', set, encodePartitionList(list), modeFor)
  }

  /** Makes the backup exist, in one step. Resolves to the SHA-256 of its manifest's file. */
  async publish(
    name: BackupName,
    manifest: Manifest,
    references: ObjectReferences,
  ): Promise<Buffer> {
    const content = encodeManifest(manifest)
    const id = this.#repository.keys.naming.idOf('manifest', content)
    const bytes = await this.#repository.encode('manifest', content, id)
    // First: a backup whose references are unknown would keep everything from being tidied up.
    await this.#repository.put(referencesKey(name), encodeReferences(references))
    const isNew = await this.#repository.put(manifestKey(name), bytes)
    if (!isNew) throw new CorruptRepositoryError(manifestKey(name), 'it is there already')
    return createHash('sha256').update(bytes).digest()
  }

  /** As {@link readReferences}. */
  references(name: BackupName): Promise<ObjectReferences | null> {
    return readReferences(this.#repository.target, name)
  }
}

/** The backups of a source, oldest first; `sourceId` null: of all. Needs no key. */
export async function listBackups(
  target: Target,
  sourceId: string | null = null,
): Promise<readonly BackupName[]> {
  const prefix = sourceId === null ? manifestsPrefix : `${manifestsPrefix}${sourceId}/`
  const names: BackupName[] = []
  for await (const { key } of target.list(prefix)) {
    const name = parseBackupKey(key)
    if (name !== null) names.push(name)
  }
  return names
}

/**
 * The last backup; null of none. Of several sources the one whose last was taken last: within one
 * the numbers count, since a clock may have been put back.
 */
export function newestOf(names: readonly BackupName[]): BackupName | null {
  const lasts = new Map<string, BackupName>()
  for (const name of names) {
    const last = lasts.get(name.sourceId)
    if (last === undefined || last.sequence <= name.sequence) lasts.set(name.sourceId, name)
  }
  return [...lasts.values()].sort((a, b) => (a.backupId < b.backupId ? -1 : 1)).at(-1) ?? null
}

/**
 * The backups that left references, oldest first of each source: those that are there, and those
 * that were interrupted, or are gone and were not swept up after. Needs no key.
 */
export async function referencedBackups(target: Target): Promise<readonly BackupName[]> {
  const names: BackupName[] = []
  for await (const { key } of target.list(referencesPrefix)) {
    const name = parseBackupKey(key)
    if (name !== null) names.push(name)
  }
  return names
}

/**
 * Which objects a backup needs; null when nothing says. Needs no key. Rejects with
 * CorruptRepositoryError.
 */
export async function readReferences(
  target: Target,
  name: BackupName,
): Promise<ObjectReferences | null> {
  const key = referencesKey(name)
  const bytes = await target.get(key)
  return bytes && decodeReferences(bytes, key)
}
