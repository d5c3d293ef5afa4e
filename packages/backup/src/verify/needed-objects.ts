import type { Manifest } from '../format/manifest.ts'
import type { PartitionList, StoredExtent, StoredSegment } from '../format/partition-list.ts'
import { objectKey } from '../repository/repository.ts'
import type { RecordRange } from './finding.ts'

/** A list, and the backups that have it: while a partition does not change they share it. */
interface ListUse {
  readonly list: PartitionList
  readonly backupIds: string[]
  oldestMs: number
}

/** A data object that backups need. */
export interface NeededObject {
  readonly key: string
  readonly set: string
  readonly extent: StoredExtent
  /** Whether it must be a run of whole batches. */
  readonly hasBatches: boolean
  /** When the oldest of the backups that need it was taken. */
  readonly oldestMs: number
  /** What of which backups is lost with it. */
  uses(): ReadonlyArray<{ readonly backupId: string; readonly records: RecordRange }>
}

interface Entry {
  readonly set: string
  readonly extent: StoredExtent
  hasBatches: boolean
  readonly segments: Array<{ readonly use: ListUse; readonly segment: StoredSegment }>
}

/** Gathers the data objects that backups need, each once. */
export class NeededObjects {
  readonly #entries = new Map<string, Entry>()
  readonly #uses = new Map<string, ListUse>()

  /** @param listKey tells lists apart */
  add({ backupId, takenMs, sets }: Manifest, listKey: string, list: PartitionList): void {
    // The same list may mean other sets in another manifest.
    const name = `${listKey} ${sets.join()}`
    const known = this.#uses.get(name)
    if (known !== undefined) {
      known.backupIds.push(backupId)
      known.oldestMs = Math.min(known.oldestMs, takenMs)
      return
    }
    const use = { list, backupIds: [backupId], oldestMs: takenMs }
    this.#uses.set(name, use)
    for (const segment of list.segments) this.#addSegment(sets[segment.set] ?? '', use, segment)
  }

  all(): readonly NeededObject[] {
    return Array.from(this.#entries.values(), neededOf)
  }

  #addSegment(set: string, use: ListUse, segment: StoredSegment): void {
    let position = 0
    for (const extent of segment.extents) {
      position += extent.sizeBytes
      const hasBatches = segment.damage === null || position <= segment.damage.position
      // A list that is wrong about the size is wrong on its own.
      const name = `${objectKey(set, extent.id)} ${extent.sizeBytes}`
      const entry = this.#entries.get(name) ?? { set, extent, hasBatches, segments: [] }
      entry.hasBatches ||= hasBatches
      entry.segments.push({ use, segment })
      this.#entries.set(name, entry)
    }
  }
}

function neededOf({ set, extent, hasBatches, segments }: Entry): NeededObject {
  const uses = (): ReturnType<NeededObject['uses']> =>
    segments.flatMap(({ use: { list, backupIds }, segment }) => {
      const { topic, partition } = list
      const records = { topic, partition, from: segment.baseOffset, to: segment.nextOffset }
      return backupIds.map((backupId) => ({ backupId, records }))
    })
  const oldestMs = segments.reduce(
    (ms, { use }) => Math.min(ms, use.oldestMs),
    Number.POSITIVE_INFINITY,
  )
  return { key: objectKey(set, extent.id), set, extent, hasBatches, oldestMs, uses }
}
