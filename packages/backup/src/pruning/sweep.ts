import type { Clock } from '@varve/log'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import {
  listBackups,
  manifestKey,
  parseBackupKey,
  readReferences,
  referencesKey,
  referencesPrefix,
} from '../repository/backup-catalogue.ts'
import { Lease } from '../repository/leases.ts'
import { objectsPrefix } from '../repository/repository.ts'
import { readUnneeded, type WaitingObjects, writeUnneeded } from '../repository/unneeded-objects.ts'
import type { Target } from '../target/target.ts'

export interface SweepOptions {
  readonly clock: Clock
  /**
   * So long after it was found that nobody needs it an object goes: longer than the longest backup.
   * In ms by the clock of the store.
   */
  readonly graceMs: number
  readonly signal: AbortSignal | null
}

/** What a sweep did. */
export interface SweepReport {
  /** Objects that are gone, and the bytes that they took. */
  readonly removedObjects: number
  readonly removedBytes: number
  /** Objects that nobody needs, and that wait for their grace to end. */
  readonly waitingObjects: number
}

const objectPattern = /^objects\/([^/]+)\/[0-9a-f]{2}\/([0-9a-f]{64})$/

/**
 * Removes objects that no backup needs, once they have been known to be so for the grace. Backups
 * do not run meanwhile; one that is stopped in the midst of it and goes on later finds out.
 *
 * Rejects with RepositoryBusyError beside a backup, and with CorruptRepositoryError when it cannot
 * be told what some backup needs: then nothing is removed.
 */
export async function sweep(target: Target, options: SweepOptions): Promise<SweepReport> {
  const lease = await Lease.take('sweep', target, options.clock)
  try {
    return await new Sweep(target, options, lease).run()
  } finally {
    await lease.release()
  }
}

class Sweep {
  readonly #target: Target
  readonly #options: SweepOptions
  readonly #lease: Lease

  constructor(target: Target, options: SweepOptions, lease: Lease) {
    this.#target = target
    this.#options = options
    this.#lease = lease
  }

  async run(): Promise<SweepReport> {
    const needed = await this.#needed()
    const nowMs = Math.floor(await this.#lease.storeTimeMs())
    const noted = await readUnneeded(this.#target)
    const waiting: WaitingObjects = new Map()
    let [removedObjects, removedBytes] = [0, 0]
    for await (const file of this.#target.list(objectsPrefix)) {
      this.#options.signal?.throwIfAborted()
      const [, set = '', id = ''] = objectPattern.exec(file.key) ?? []
      // Nothing is removed that is not known to be an object.
      if (id === '' || needed.get(set)?.has(id) === true) continue
      const sinceMs = noted.sinceMs.get(file.key)
      // One that was stored again since was about to be needed.
      const isKnown = sinceMs !== undefined && file.modifiedMs <= sinceMs
      if (isKnown && nowMs - sinceMs >= this.#options.graceMs) {
        await this.#lease.confirm()
        await this.#target.remove(file.key)
        removedObjects++
        removedBytes += file.sizeBytes
      } else {
        addTo(waiting, isKnown ? sinceMs : nowMs, set, id)
      }
    }
    await writeUnneeded(this.#target, noted, waiting)
    return { removedObjects, removedBytes, waitingObjects: countOf(waiting) }
  }

  /** What all backups need. */
  async #needed(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const needed = new Map<string, Set<string>>()
    const names = await listBackups(this.#target)
    const living = new Set(names.map(referencesKey))
    for (const name of names) {
      const references = await readReferences(this.#target, name)
      if (references === null) {
        const reason = `nothing says what ${manifestKey(name)} needs`
        throw new CorruptRepositoryError(referencesKey(name), reason)
      }
      for (const [set, ids] of references) {
        const all = needed.get(set) ?? new Set()
        for (const id of ids) all.add(id)
        needed.set(set, all)
      }
    }
    // Of backups that were removed, or never came to be.
    for await (const { key } of this.#target.list(referencesPrefix)) {
      if (parseBackupKey(key) !== null && !living.has(key)) await this.#target.remove(key)
    }
    return needed
  }
}

function addTo(waiting: WaitingObjects, sinceMs: number, set: string, id: string): void {
  const bySet = waiting.get(sinceMs) ?? new Map<string, Set<string>>()
  waiting.set(sinceMs, bySet.set(set, (bySet.get(set) ?? new Set()).add(id)))
}

function countOf(waiting: WaitingObjects): number {
  const sets = [...waiting.values()].flatMap((bySet) => [...bySet.values()])
  return sets.reduce((sum, { size }) => sum + size, 0)
}
