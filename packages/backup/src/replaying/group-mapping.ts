import type { Offset } from '@varve/record'
import type { GroupOffset } from '../reading/group-offsets.ts'
import { resolveOffsets, type WantedOffset } from './mapped-offsets.ts'
import type { MapEntry } from './offset-map.ts'

/** What of a partition was replayed. */
export interface ReplayedPartition {
  readonly topic: string
  readonly partition: number
  /** As the target calls its topic. */
  readonly to: string
  readonly logStartOffset: Offset
  /** Everything before it has been replayed, or left out. */
  readonly reached: Offset
}

/** An offset of a group that does not stand exactly where it stood. */
export interface ClampedOffset extends GroupOffset {
  /** Of the target. */
  readonly target: Offset
  readonly reason: string
}

export interface MappedOffsets {
  /** Of the target, by group. */
  readonly groups: ReadonlyMap<string, readonly GroupOffset[]>
  readonly clamped: readonly ClampedOffset[]
}

interface Wanted extends WantedOffset {
  readonly source: GroupOffset
  readonly place: ReplayedPartition
}

/**
 * Finds what groups' offsets are in the target: the same record, or where that was not replayed the
 * next one that was; behind the last one where there is none.
 */
export async function mapGroupOffsets(
  offsets: readonly GroupOffset[],
  partitions: readonly ReplayedPartition[],
  entries: AsyncIterable<MapEntry>,
  endOffset: (topic: string, partition: number) => Promise<Offset>,
): Promise<MappedOffsets> {
  const places = new Map(partitions.map((place) => [`${place.topic}-${place.partition}`, place]))
  const wanted = offsets.flatMap((source): Wanted[] => {
    const place = places.get(`${source.topic}-${source.partition}`)
    return place === undefined ? [] : [{ source, place, target: null }]
  })
  const ends = await resolveOffsets(wanted, entries)
  const groups = new Map<string, GroupOffset[]>()
  const clamped: ClampedOffset[] = []
  for (const { source, place, target: found } of wanted) {
    const { to, partition, topic } = place
    const last = ends.get(`${topic}-${partition}`)
    const target = found ?? last ?? (await endOffset(to, partition))
    const mapped = { ...source, topic: to, offset: target }
    const known = groups.get(source.group)
    if (known === undefined) groups.set(source.group, [mapped])
    else known.push(mapped)
    const reason = whyClamped(source.offset, place)
    if (reason !== null) clamped.push({ ...source, target, reason })
  }
  return { groups, clamped }
}

function whyClamped(offset: Offset, { logStartOffset, reached }: ReplayedPartition): string | null {
  if (offset < logStartOffset) return `its records before ${logStartOffset} were gone`
  if (offset > reached) return `nothing from ${reached} on was replayed`
  return null
}
