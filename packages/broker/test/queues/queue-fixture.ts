import { type Log, LogDirectory } from '@varve/log'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { Queue, type QueueContext, type QueueOptions } from '../../src/queues/queue.ts'
import { type QueueState, QueueStateLog } from '../../src/queues/queue-state-log.ts'

export interface QueueSettings extends QueueOptions {
  readonly fs?: SimulatedFileSystem
  readonly clock?: ManualClock
  readonly partitions?: number
  readonly deadLetter?: QueueContext['deadLetter']
}

/** A data directory with one queue in it. */
export class QueueBench implements AsyncDisposable {
  readonly fs: SimulatedFileSystem
  readonly clock: ManualClock
  readonly directory: LogDirectory
  readonly queue: Queue
  readonly errors: unknown[]

  private constructor(
    fs: SimulatedFileSystem,
    clock: ManualClock,
    directory: LogDirectory,
    queue: Queue,
    errors: unknown[],
  ) {
    this.fs = fs
    this.clock = clock
    this.directory = directory
    this.queue = queue
    this.errors = errors
  }

  static async open(settings: QueueSettings = {}): Promise<QueueBench> {
    const { fs = new SimulatedFileSystem(), clock = new ManualClock(), ...rest } = settings
    const { partitions = 1, deadLetter, ...options } = rest
    const directory = await LogDirectory.open('/data', { fs, clock, random: () => 0.5 })
    const logOf = async (topic: string, partition: number) =>
      directory.logs.get(`${topic}-${partition}`) ?? (await directory.createLog(topic, partition))
    const logs = []
    for (let index = 0; index < partitions; index++) logs.push(await logOf('mail', index))
    const states = await QueueStateLog.load(await logOf('queues', 0))
    const errors: unknown[] = []
    const state = states.of('id')
    const context = { name: 'mail', topic: 'mail', logs, state, clock, random: () => 0.5 }
    const queue = await Queue.open(
      { ...context, ...(deadLetter && { deadLetter }), onError: (error) => errors.push(error) },
      options,
    )
    const bench = new QueueBench(fs, clock, directory, queue, errors)
    await bench.turns()
    return bench
  }

  /** What the next process finds after a power cut now, or when this one was killed. */
  async reopen(how: 'cut' | 'killed', settings: QueueSettings = {}): Promise<QueueBench> {
    const left = how === 'cut' ? this.fs.crashState(this.fs.operations, 'none') : this.fs.fork()
    return QueueBench.open({ clock: this.clock, ...settings, fs: left })
  }

  /** What another queue on the same topic needs. */
  async parts(): Promise<{
    readonly clock: ManualClock
    readonly log: Log
    readonly state: QueueState
  }> {
    const states = await QueueStateLog.load(this.directory.log('queues', 0))
    return { clock: this.clock, log: this.directory.log('mail', 0), state: states.of('id') }
  }

  async turns(count = 5): Promise<void> {
    for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
  }

  async enqueue(...values: string[]): Promise<void> {
    for (const value of values) await this.queue.enqueue({ value })
    await this.turns()
  }

  /** The values of all that can be dequeued now; they stay with their consumer. */
  async values(): Promise<string[]> {
    const found: string[] = []
    for (;;) {
      const delivery = await this.queue.dequeue({ waitMs: 0 })
      if (delivery === null) return found
      found.push(String(delivery.record.value))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.queue.close()
    await this.directory.close()
  }
}
