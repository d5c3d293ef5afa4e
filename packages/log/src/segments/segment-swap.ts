import type { Batch, Offset } from '@varve/record'
import { listSegmentFiles, type SegmentFile } from '../format/segment-listing.ts'
import { scanBatches } from '../format/segment-scan.ts'
import { cleanedSuffix, deletedSuffix, swapSuffix } from '../storage/file-names.ts'
import type { FileSystem } from '../storage/file-system.ts'
import { segmentFileKinds, segmentPath } from './segment-files.ts'
import { readDigest } from './segment-restore.ts'

// Replacing segments by cleaned ones so that a crash at any point leaves either all of the old or
// all of the new. Kafka's protocol (LocalLog.replaceSegments), with a directory flush between its
// steps, because without one a disk may keep a later rename and lose an earlier one:
//
//   1. The new segments are complete and durable under `.cleaned` names.
//   2. They are renamed to `.swap`, in descending order of base offset.  — directory flush
//   3. The old segments' files are renamed to `.deleted`.                — directory flush
//   4. The new ones get their final names.                               — directory flush
//   5. The `.deleted` files are removed when nobody needs them any more.
//
// What opening does after a crash (finishSwap):
//
//   found                                    crash in    outcome
//   `.cleaned`, no `.swap`                    1, 2        `.cleaned` removed: the old ones count
//   `.cleaned` and `.swap`                    2           both removed: the old ones count
//   `.swap`, old segments, maybe `.deleted`   2, 3        old ones removed, `.swap` gets its name
//   `.swap`, some final names                 4           the remaining `.swap` get their names
//   `.deleted`                                5           removed
//
// In step 2 the highest base goes first, and the lowest last, after a directory flush of its own:
// with several outputs, a `.cleaned` file with a base at or below that of a `.swap` file therefore
// proves that step 2 was not complete.

/** In alphabetical order, in which a listing of the directory has them. */
const renamedKinds = segmentFileKinds.toSorted()

/**
 * Steps 2 and 4 for one segment's files: renames those that exist. The directory is not listed: the
 * other segments in it may be thousands, and the event loop would wait for all of their names.
 */
export function renameSegmentFiles(
  fs: FileSystem,
  directory: string,
  baseOffset: Offset,
  from: string,
  to: string,
): void {
  for (const kind of renamedKinds) {
    const path = segmentPath(directory, baseOffset, kind)
    if (fs.stat(`${path}${from}`) === null) continue
    fs.rename(`${path}${from}`, `${path}${to}`)
  }
}

/**
 * Finishes or undoes what a crash interrupted. Idempotent: a crash in here leads here again.
 * Returns the names of the files that were removed or renamed.
 */
export async function finishSwap(fs: FileSystem, directory: string): Promise<readonly string[]> {
  const files = listSegmentFiles(fs, directory)
  if (!files.some(({ suffix }) => isTemporary(suffix))) return []
  // What a killed process renamed may not be durable: nothing is removed on the strength of it.
  await fs.syncDirectory(directory)
  const touched: string[] = []
  const remove = async (file: SegmentFile): Promise<void> => {
    await fs.remove(`${directory}/${file.name}`)
    touched.push(file.name)
  }
  for (const file of files.filter(({ suffix }) => suffix === deletedSuffix)) await remove(file)

  const cleaned = files.filter(({ suffix }) => suffix === cleanedSuffix)
  const complete = completeSwaps(files)
  // The `.swap` files go first and durably: were a `.cleaned` one removed before them, a crash in
  // between would make them look complete.
  const undone = files.filter((file) => file.suffix === swapSuffix && !complete.includes(file))
  for (const file of undone) await remove(file)
  if (undone.length > 0) await fs.syncDirectory(directory)
  for (const file of cleaned) await remove(file)

  await finishComplete(fs, directory, complete, touched)
  await fs.syncDirectory(directory)
  return touched
}

/** The `.swap` files that step 2 has completed. */
export function completeSwaps(files: readonly SegmentFile[]): readonly SegmentFile[] {
  const cleaned = files.filter(({ suffix }) => suffix === cleanedSuffix)
  const lowestCleaned = Math.min(...cleaned.map(({ baseOffset }) => baseOffset))
  return files.filter(
    ({ suffix, baseOffset }) => suffix === swapSuffix && baseOffset < lowestCleaned,
  )
}

/** Offsets that a `.log.swap` covers: other segments that begin there are replaced by it. */
export interface SwapSpan {
  readonly path: string
  readonly from: Offset
  readonly to: Offset
}

/** One by one: between two that still have their `.swap` names may lie one that has lost it. */
export async function spansOf(
  fs: FileSystem,
  directory: string,
  swaps: readonly SegmentFile[],
): Promise<readonly SwapSpan[]> {
  const spans: SwapSpan[] = []
  for (const { kind, name, baseOffset } of swaps) {
    if (kind !== 'log') continue
    const path = `${directory}/${name}`
    const to = await nextOffsetOf(fs, path, baseOffset)
    spans.push({ path, from: baseOffset, to: Math.max(to, baseOffset + 1) })
  }
  return spans
}

/** Removes what the complete `.swap` segments replace, and gives them their names. */
async function finishComplete(
  fs: FileSystem,
  directory: string,
  swaps: readonly SegmentFile[],
  touched: string[],
): Promise<void> {
  const swapNames = new Set(swaps.map(({ name }) => name))
  const spans = await spansOf(fs, directory, swaps)
  const ours = new Set(
    spans.map(({ from }) => from).filter((baseOffset) => hasDigest(fs, directory, baseOffset)),
  )
  for (const file of listSegmentFiles(fs, directory)) {
    const isWithin = spans.some(({ from, to }) => file.baseOffset >= from && file.baseOffset < to)
    if (!isWithin || file.suffix !== '' || file.kind === 'snapshot') continue
    // Of a segment that Varve cleaned every file once had a `.swap` name: what has none any more
    // has its final name already. Kafka, which makes no digest, renames the log first.
    const isNew = ours.has(file.baseOffset) && !swapNames.has(`${file.name}${swapSuffix}`)
    if (isNew && file.kind !== 'log') continue
    await fs.remove(`${directory}/${file.name}`)
    touched.push(file.name)
  }
  await fs.syncDirectory(directory)
  for (const file of swaps) {
    const plain = file.name.slice(0, file.name.length - swapSuffix.length)
    fs.rename(`${directory}/${file.name}`, `${directory}/${plain}`)
    touched.push(file.name)
  }
}

/** Whether there is a digest, under its last name or the one before, of this `.log.swap`. */
function hasDigest(fs: FileSystem, directory: string, baseOffset: Offset): boolean {
  const sizeBytes = fs.stat(`${segmentPath(directory, baseOffset, 'log')}${swapSuffix}`)?.sizeBytes
  const path = segmentPath(directory, baseOffset, 'digest')
  return [`${path}${swapSuffix}`, path].some(
    (candidate) => readDigest(fs, candidate)?.sizeBytes === sizeBytes,
  )
}

/** The offset after the last batch of a complete segment file; its base offset when it is empty. */
async function nextOffsetOf(fs: FileSystem, path: string, baseOffset: Offset): Promise<Offset> {
  const file = fs.open(path, 'read')
  try {
    let nextOffset = baseOffset
    const visit = (batch: Batch): boolean => {
      nextOffset = batch.nextOffset
      return true
    }
    await scanBatches(file, visit, { validate: false })
    return nextOffset
  } finally {
    file.close()
  }
}

function isTemporary(suffix: string): boolean {
  return suffix === deletedSuffix || suffix === cleanedSuffix || suffix === swapSuffix
}
