import type { Log } from '../../src/log.ts'
import type { ReadOnlyLogOptions } from '../../src/read/followed-source.ts'
import { openLogReadOnly, type ReadOnlyLog } from '../../src/read/read-only-log.ts'
import { CleanedSegmentWriter } from '../../src/segments/cleaned-segment-writer.ts'
import type { Place } from '../log-fixture.ts'

export function openReader(place: Place, options: ReadOnlyLogOptions = {}): Promise<ReadOnlyLog> {
  return openLogReadOnly(`${place.path}/t-0`, { fs: place.fs, ...options })
}

type Aborted = Parameters<CleanedSegmentWriter['addAbortedTransaction']>[0]

/** Leaves only even offsets in the sealed segments from index `from` to before `to`. */
export async function compact(
  place: Place,
  log: Log,
  from: number,
  to: number,
  aborted: readonly Aborted[] = [],
): Promise<void> {
  const replaced = log.segments().slice(from, to)
  const base = replaced[0]?.baseOffset ?? 0
  const end = replaced.at(-1)?.nextOffset ?? 0
  const writer = new CleanedSegmentWriter(log.directory, base, { fs: place.fs })
  for await (const batch of log.reader({ from: base })) {
    if (batch.baseOffset >= end) break
    if (batch.baseOffset % 2 === 0) await writer.append(batch)
  }
  for (const transaction of aborted) writer.addAbortedTransaction(transaction)
  await log.replaceSegments([await writer.finish(end)], replaced)
}
