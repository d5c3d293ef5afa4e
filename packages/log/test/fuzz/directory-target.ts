import assert from 'node:assert/strict'
import { InvalidArgumentError, VarveError } from '@varve/record'
import { changedBatches, mendChecksum } from '../../../record/test/fuzz/batch-inputs.ts'
import type { FuzzRandom } from '../../../record/test/fuzz/fuzz-random.ts'
import type { FuzzTarget } from '../../../record/test/fuzz/fuzz-target.ts'
import { mutate, putNumber } from '../../../record/test/fuzz/mutations.ts'
import type { Log } from '../../src/log.ts'
import { LogDirectory } from '../../src/log-directory.ts'
import { openLogReadOnly, type ReadOnlyLog } from '../../src/read/read-only-log.ts'
import { SimulatedFileSystem } from '../../src/testing/index.ts'
import { verifyPath } from '../../src/verify/verify-path.ts'
import {
  dataDirectory,
  directorySamples,
  type Files,
  logName,
  openOptions,
} from './directory-samples.ts'
import {
  changedDigest,
  changedProgress,
  changedSnapshot,
  changedText,
  samples,
} from './file-samples.ts'

const logDirectory = `${dataDirectory}/${logName}`
const readBytesMax = 4096
/** More batches or findings than any of these directories can hold. */
const stepsMax = 20_000

/** Whole data directories of which some files were changed: verified, read, opened, appended to. */
export async function directoryTarget(): Promise<FuzzTarget> {
  const directories = await directorySamples()
  return {
    name: 'data directory',
    share: 1,
    // All of it follows from the seed; the bytes alone would not say which file they are of.
    make: () => Buffer.alloc(0),
    read: (_input, random) => useDirectory(changedDirectory(random, directories)),
  }
}

function changedDirectory(random: FuzzRandom, directories: readonly Files[]): SimulatedFileSystem {
  const files = new Map(random.pick(directories))
  const times = 1 + random.size(6)
  for (let time = 0; time < times; time++) changeFiles(random, files)
  const fs = new SimulatedFileSystem()
  fs.makeDirectories(logDirectory)
  for (const [path, bytes] of files) fs.writeBytes(path, bytes)
  fs.settle()
  return fs
}

function changeFiles(random: FuzzRandom, files: Map<string, Buffer>): void {
  const paths = [...files.keys()]
  const path = random.pick(paths)
  const bytes = files.get(path) ?? Buffer.alloc(0)
  const kind = random.int(20)
  if (kind === 0) files.delete(path)
  else if (kind === 1) files.set(path, random.bytes(random.size(2000)))
  else if (kind === 2) files.set(path, files.get(random.pick(paths)) ?? Buffer.alloc(0))
  else if (kind === 3) files.set(`${logDirectory}/${anyName(random)}`, bytes)
  else if (kind === 4) files.set(`${path}${random.pick(['.deleted', '.swap', '.cleaned'])}`, bytes)
  else files.set(path, changedBytes(random, path, bytes, [...files.values()]))
}

/** A file's name with a number in it that it should not have, or no name of a log's at all. */
function anyName(random: FuzzRandom): string {
  const offset = random.pick([0, 1, 6, 7, 10, 25, 2 ** 31, 2 ** 32, 2 ** 53 - 1])
  const kind = random.pick(['log', 'index', 'timeindex', 'txnindex', 'snapshot', 'digest'])
  const suffix = random.pick(['', '', '', '.deleted', '.cleaned', '.swap', '.broken'])
  return `${String(offset).padStart(20, '0')}.${kind}${suffix}`
}

function changedBytes(
  random: FuzzRandom,
  path: string,
  bytes: Buffer,
  others: readonly Buffer[],
): Buffer {
  if (random.oneIn(4)) return mutate(random, bytes, others)
  if (path.includes('.log')) return changedLog(random, bytes)
  if (path.endsWith('.snapshot')) return changedSnapshot(random)
  if (path.endsWith('.digest')) return changedDigest(random)
  if (path.endsWith('/progress')) return changedProgress(random)
  if (path.includes('checkpoint')) return changedText(random, [...samples.texts, bytes])
  return mutate(random, bytes, others)
}

/** Batches changed in place under checksums that are made right again, or new ones put between. */
function changedLog(random: FuzzRandom, log: Buffer): Buffer {
  const parts: Buffer[] = []
  let start = 0
  while (start + 26 <= log.length) {
    const end = Math.min(start + 12 + log.readInt32BE(start + 8), log.length)
    if (end <= start) break
    let batch = Buffer.from(log.subarray(start, end))
    if (random.oneIn(6)) {
      const width = random.pick([1, 2, 4, 8])
      putNumber(random, batch, random.int(Math.min(batch.length, 61) - width), width)
      if (!random.oneIn(4)) batch = mendChecksum(batch) as typeof batch
    }
    if (!random.oneIn(12)) parts.push(batch)
    if (random.oneIn(12)) parts.push(changedBatches(random))
    start = end
  }
  return Buffer.concat([...parts, log.subarray(start)])
}

/** Everything that one can do with a directory. A typed error ends a step, not the others. */
async function useDirectory(fs: SimulatedFileSystem): Promise<void> {
  await orTypedLater(() => verify(fs))
  await orTypedLater(() => readBeside(fs))
  await orTypedLater(() => useLogs(fs, true))
  await orTypedLater(() => useLogs(fs, false))
  await orTypedLater(() => verify(fs))
  assert.deepEqual(fs.openFiles(), [], 'every file is closed and every lock released')
}

async function verify(fs: SimulatedFileSystem): Promise<void> {
  let steps = 0
  for await (const _finding of verifyPath(dataDirectory, { fs, settleMs: 0 })) {
    assert(++steps < stepsMax, 'findings come to an end')
  }
}

async function readBeside(fs: SimulatedFileSystem): Promise<void> {
  const before = fs.operations
  const log = await openLogReadOnly(logDirectory, { fs })
  try {
    await readLog(log)
  } finally {
    await log.close()
  }
  assert(fs.operations === before, 'a reader changes nothing')
}

async function useLogs(fs: SimulatedFileSystem, isChanging: boolean): Promise<void> {
  const data = await LogDirectory.open(dataDirectory, openOptions(fs))
  try {
    for (const failure of data.failures.values()) assertNoMistake(failure)
    for (const log of data.logs.values()) {
      await orTypedLater(() => readLog(log))
      if (isChanging) await changeLog(log)
    }
  } finally {
    await data.close()
  }
}

async function changeLog(log: Log): Promise<void> {
  await orTypedLater(() => log.append({ value: 'one more' }))
  await orTypedLater(() => log.roll())
  await orTypedLater(() => log.append([{ value: 'and' }, { value: 'more' }], { acks: 'written' }))
  await orTypedLater(() => log.deleteSegmentsBefore(log.logEndOffset - 1, 'request'))
  await orTypedLater(() => log.flush())
  await orTypedLater(() => readLog(log))
}

async function readLog(log: Log | ReadOnlyLog): Promise<void> {
  const { logStartOffset } = log
  for (const isolation of ['uncommitted', 'committed'] as const) {
    await orTypedLater(async () => {
      let steps = 0
      let previous = -1
      const options = { from: logStartOffset, isolation, maxBytes: readBytesMax }
      for await (const batch of log.reader(options)) {
        assert(batch.lastOffset > previous, 'batches rise')
        for (const record of batch.records()) {
          // Of a compressed batch of magic 0 or 1 only the last offset shows from outside: the
          // first one inside a hostile batch may lie before the batch before.
          assert(record.offset > previous || batch.magic < 2, 'offsets rise')
          assert(++steps < stepsMax, 'reading comes to an end')
          previous = Math.max(previous, record.offset)
        }
        previous = batch.lastOffset
      }
    })
    const from = Math.min(logStartOffset + 7, Number.MAX_SAFE_INTEGER)
    await orTypedLater(() => log.read({ from, isolation, maxBytes: 100 }))
  }
  for (const timestamp of [0, 1_700_000_000_010, 2 ** 52]) {
    await orTypedLater(() => log.offsetForTimestamp(timestamp))
  }
  log.segments()
}

async function orTypedLater(act: () => Promise<unknown>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    assertNoMistake(error)
  }
}

/** A typed error is no answer when it only wraps a mistake of ours, or blames the caller. */
function assertNoMistake(error: unknown): void {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof InvalidArgumentError) throw error
    if (cause instanceof VarveError) continue
    const isOurs = /^(AssertionError|TypeError|RangeError|ReferenceError)/.test(
      cause.constructor.name,
    )
    if (isOurs) throw error
  }
}
