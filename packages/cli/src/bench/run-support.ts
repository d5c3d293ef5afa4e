import {
  BenchDiskFullError,
  bytesToLeave,
  type IntervalFigures,
  machineClock,
  type RunContext,
} from '@varve/bench'
import { nodeFileSystem, type Timer } from '@varve/log'
import { type CommandIo, InterruptedError } from '../command-io.ts'
import type { RecordRunOptions } from './bench-options.ts'
import { IntervalLines } from './interval-lines.ts'

const clusterNote =
  'on a cluster: acks flushed asks for all replicas that are in sync, which flush as their topic ' +
  'is set to; the machine below is that of the client'

/** Between two looks at the disk: what is left of it is meant to last so long. */
const watchMs = 250

/** What all runs of records have beside them: progress, and a watch on the disk. */
export class RunSupport implements Disposable {
  readonly lines: IntervalLines
  readonly notes: string[] = []
  readonly context: RunContext & { readonly signal: AbortSignal }
  readonly #io: CommandIo
  readonly #directory: string | null
  readonly #full = new AbortController()
  #freeBytesMin: number | null = null
  #timer: Timer | null = null
  #isOver = false

  /** `directory`: where the run writes, which is watched from now on; null on a cluster. */
  constructor(
    io: CommandIo,
    { interval }: Pick<RecordRunOptions, 'interval'>,
    directory: string | null,
    lineOf: (intervals: readonly IntervalFigures[]) => string,
  ) {
    this.#io = io
    this.#directory = directory
    this.lines = new IntervalLines(io, interval, lineOf)
    if (directory === null) this.notes.push(clusterNote)
    else void this.#watch(directory)
    io.signal.addEventListener('abort', this.#onInterrupt)
    this.context = {
      // Another process may have to subtract its times.
      clock: machineClock,
      signal: AbortSignal.any([io.signal, this.#full.signal]),
      onInterval: (measured) => this.lines.add(measured),
    }
  }

  /** Why there is nothing to report. */
  endedEarly(): Error {
    if (!this.#full.signal.aborted) return new InterruptedError()
    const directory = this.#directory ?? ''
    const what = `the disk of ${directory} was nearly full before anything was counted`
    return new BenchDiskFullError(directory, what)
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#timer?.cancel()
    this.#io.signal.removeEventListener('abort', this.#onInterrupt)
  }

  readonly #onInterrupt = (): void => {
    this.notes.push('interrupted: what there was counts')
  }

  async #watch(directory: string): Promise<void> {
    const free = await nodeFileSystem.freeBytes(directory).catch(() => Number.POSITIVE_INFINITY)
    if (this.#isOver || this.context.signal.aborted) return
    // The first look says what there was.
    this.#freeBytesMin ??= Number.isFinite(free) ? bytesToLeave(free) : null
    if (free < (this.#freeBytesMin ?? 0)) {
      this.notes.push('ended early: the disk is nearly full')
      this.#full.abort()
      return
    }
    this.#timer = this.#io.clock.setTimer(watchMs, () => void this.#watch(directory))
  }
}
