import { type FileSystem, nodeFileSystem } from '@varve/log'
import type { Offset } from '@varve/record'
import { type MapEntry, mapEntries } from './offset-map.ts'

/** An offset of a replay's source: the next one to be read. */
export interface SourceOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: Offset
}

/** What it is to be looked for as, and what has been found. */
export interface WantedOffset {
  readonly source: SourceOffset
  target: Offset | null
}

/**
 * What offsets of the source are in the target of a replay, by its map (`--map`), in the order in
 * which they are given: that of the same record, or where it was not replayed of the next one that
 * was; behind the last one where there is none; null where nothing of the partition was replayed.
 * The replay must have ended well. Rejects with ReplayRefusedError when the file is not such a map.
 */
export async function mappedOffsets(
  path: string,
  offsets: readonly SourceOffset[],
  fs: FileSystem = nodeFileSystem,
): Promise<ReadonlyArray<Offset | null>> {
  const wanted = offsets.map((source): WantedOffset => ({ source, target: null }))
  const ends = await resolveOffsets(wanted, mapEntries(fs, path))
  return wanted.map(({ source, target }) => target ?? ends.get(placeOf(source)) ?? null)
}

/**
 * Gives what is wanted its target, where there is one. Returns where each partition ends in the
 * target, of those that records went to, by topic and partition of the source (`orders-0`).
 */
export async function resolveOffsets(
  wanted: readonly WantedOffset[],
  entries: AsyncIterable<MapEntry>,
): Promise<ReadonlyMap<string, Offset>> {
  const waiting = new Map<string, WantedOffset[]>()
  // The smallest last: that one is taken off first.
  for (const one of wanted.toSorted((a, b) => b.source.offset - a.source.offset)) {
    const place = placeOf(one.source)
    const list = waiting.get(place)
    if (list === undefined) waiting.set(place, [one])
    else list.push(one)
  }
  const ends = new Map<string, Offset>()
  for await (const entry of entries) {
    const place = placeOf(entry)
    const list = waiting.get(place)
    for (const { source, count, target } of entry.runs) {
      ends.set(place, target + count)
      for (let next = list?.at(-1); next !== undefined; next = list?.at(-1)) {
        if (next.source.offset >= source + count) break
        next.target = target + Math.max(0, next.source.offset - source)
        list?.pop()
      }
    }
  }
  return ends
}

function placeOf({ topic, partition }: Pick<SourceOffset, 'topic' | 'partition'>): string {
  return `${topic}-${partition}`
}
