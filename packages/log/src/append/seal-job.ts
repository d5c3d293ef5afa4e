import { encodeSegmentDigest } from '../format/segment-digest.ts'
import type { ActiveSegment } from '../segments/active-segment.ts'
import { SealedSegment } from '../segments/sealed-segment.ts'
import {
  producerSnapshotFileName,
  segmentDigestFileName,
  transactionIndexFileName,
} from '../storage/file-names.ts'
import { type File, type FileSystem, writeDurably } from '../storage/file-system.ts'
import type { LogState } from './log-state.ts'

/** So many rolled segments may wait to be sealed; then rolling waits. */
const unsealedMax = 8

/**
 * The sealing of rolled segments, beside the writer's loop. In this order, each durable before the
 * next begins: the log's data, its indexes and digest, the producer snapshot of the new segment's
 * base offset, the names of these files. Only then may the recovery point pass the segment, because
 * recovery reads, and rebuilds the indexes of, only what lies at or above it.
 *
 * Segments are sealed one after the other, so what is durable is always a prefix of the log. A
 * failure is kept and rejects everything that waits, now or later.
 */
export class SealJobs {
  readonly #state: LogState
  readonly #onFailure: (error: unknown) => void
  /** Resolves when the data of every rolled segment is durable. */
  #flushed: Promise<void> = Promise.resolve()
  /** Resolves when every rolled segment is sealed. */
  #done: Promise<void> = Promise.resolve()
  /** Those that are not sealed yet, oldest first. */
  readonly #waiting: Array<Promise<void>> = []

  /** `onFailure` is told when a segment could not be sealed: the log must not go on. */
  constructor(state: LogState, onFailure: (error: unknown) => void) {
    this.#state = state
    this.#onFailure = onFailure
  }

  /**
   * Seals a segment to which nothing will be appended any more. `file` is its log, borrowed for
   * writing, when it holds unflushed data; it is given back here.
   */
  start(segment: ActiveSegment, file: File | null): SealedSegment {
    const state = this.#state
    state.producers.expire(state.clock.now(), state.options.producerIdExpirationMs)
    const snapshot = state.producers.encodeSnapshot()
    const snapshotPath = `${state.directory}/${producerSnapshotFileName(segment.nextOffset)}`
    const before = this.#done
    this.#flushed = before.then(() => flushLog(state, file))
    const sealed = sealedOf(state, segment)
    this.#done = this.#flushed.then(async () => {
      await sealSegment(state.fs, segment)
      sealed.lookUpIn(null)
      await writeDurably(state.fs, snapshotPath, snapshot)
      await state.fs.syncDirectory(state.directory)
      this.#waiting.shift()
    })
    this.#waiting.push(this.#done)
    this.#flushed.catch(() => undefined)
    this.#done.catch(this.#onFailure)
    return sealed
  }

  /** Whether a segment waits to be sealed: then the recovery point stays before its end. */
  get isBusy(): boolean {
    return this.#waiting.length > 0
  }

  /**
   * Waits while too many segments wait to be sealed: whoever fills segments faster than the disk
   * takes them would keep ever more of them in memory, and their files open. Rejects when one could
   * not be sealed.
   */
  async room(): Promise<void> {
    while (this.#waiting.length >= unsealedMax) await this.#waiting[0]
  }

  flushed(): Promise<void> {
    return this.#flushed
  }

  done(): Promise<void> {
    return this.#done
  }

  /** Resolves when nothing runs any more, whether it succeeded or not. */
  async settled(): Promise<void> {
    await this.#done.catch(() => undefined)
  }
}

/** A rolled segment as readers see it. Its index is on disk when it has been sealed. */
function sealedOf({ files, directory }: LogState, segment: ActiveSegment): SealedSegment {
  const sealed = new SealedSegment(files, directory, segment.info(), segment.identity)
  sealed.lookUpIn(segment.offsetIndex)
  return sealed
}

/** Without a file everything was flushed. */
async function flushLog(state: LogState, file: File | null): Promise<void> {
  if (file === null) return
  try {
    await file.datasync()
  } finally {
    state.files.giveBack(file)
  }
}

/** Writes and flushes the derived files of a segment whose log is durable. */
export async function sealSegment(
  fs: FileSystem,
  segment: ActiveSegment,
  digestName: string = segmentDigestFileName(segment.baseOffset),
): Promise<void> {
  // While the indexes are made anew, nothing may say that they are complete.
  const digestPath = `${segment.directory}/${digestName}`
  if (fs.stat(digestPath) !== null) {
    await fs.remove(digestPath)
    await fs.syncDirectory(segment.directory)
  }
  segment.completeTimeIndex()
  segment.saveIndexes(fs)
  for (const name of segment.indexFileNames()) {
    await flushFile(fs, `${segment.directory}/${name}`)
  }
  await removeStaleTransactionIndex(fs, segment)
  const digest = encodeSegmentDigest(segment.digest())
  await writeDurably(fs, digestPath, digest)
}

/** A crash can leave one of transactions that it took out of the log. */
async function removeStaleTransactionIndex(fs: FileSystem, segment: ActiveSegment): Promise<void> {
  if (segment.transactionIndex.count > 0) return
  const path = `${segment.directory}/${transactionIndexFileName(segment.baseOffset)}`
  if (fs.stat(path) !== null) await fs.remove(path)
}

async function flushFile(fs: FileSystem, path: string): Promise<void> {
  const file = fs.open(path, 'write')
  try {
    await file.datasync()
  } finally {
    file.close()
  }
}
