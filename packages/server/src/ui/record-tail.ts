import type { ServerResponse } from 'node:http'
import type { Partition, Topic } from '@varve/broker/serving'
import type { Clock, Isolation, Log, Timer } from '@varve/log'
import { type Offset, VarveError } from '@varve/record'
import type { RecordAnswer, TailAnswer } from './answers.ts'
import { previewCut, recordAnswer } from './byte-answer.ts'
import { type RecordFilter, recordFilter } from './record-filter.ts'
import { isAborted } from './record-window.ts'
import { UiRequestError } from './ui-errors.ts'
import type { UiQuery } from './ui-query.ts'

/** How often it is looked for new records. */
const tickMs = 250
/** Silence after which a comment is sent, so that a browser that is gone is noticed. */
const beatTicks = 40
/** So many records of a partition are looked at a tick; what is beyond is skipped, and counted. */
const recordsPerTick = 100
const readBytes = 256 * 1024
const tailsMax = 16

/** The live tails that are open, bounded in number. */
export class RecordTails {
  readonly #clock: Clock
  readonly #open = new Set<RecordTail>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#open.size
  }

  /**
   * Sends what comes into a topic as server-sent events, until the browser goes. Throws
   * UiRequestError where there are too many.
   */
  open(topic: Topic, query: UiQuery, response: ServerResponse): void {
    if (this.#open.size >= tailsMax) {
      throw new UiRequestError(503, `${tailsMax} live tails are open already`)
    }
    const wanted = query.whole('partition')
    const partitions = wanted === null ? topic.partitions : [topic.partition(wanted)]
    const tail = new RecordTail(response, {
      ...{ clock: this.#clock, partitions, filter: recordFilter(query) },
      isolation: query.isolation(),
    })
    this.#open.add(tail)
    response.on('close', () => {
      tail.close()
      this.#open.delete(tail)
    })
    tail.start()
  }

  close(): void {
    for (const tail of this.#open) tail.close()
    this.#open.clear()
  }
}

interface TailOptions {
  readonly clock: Clock
  readonly partitions: readonly Partition[]
  readonly filter: RecordFilter | null
  readonly isolation: Isolation
}

/**
 * One browser's view of what comes in. It looks at intervals, reads a bounded piece of each
 * partition, and looks again only when the browser has taken what was sent: one that is slow sees
 * less, and learns how much it has missed.
 */
class RecordTail {
  readonly #response: ServerResponse
  readonly #options: TailOptions
  readonly #positions = new Map<Log, Offset>()
  #timer: Timer | null = null
  #quietTicks = 0
  #isClosed = false

  constructor(response: ServerResponse, options: TailOptions) {
    this.#response = response
    this.#options = options
    for (const { openLog } of options.partitions) {
      if (openLog !== null) this.#positions.set(openLog, openLog.highWatermark)
    }
  }

  start(): void {
    this.#response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    this.#response.write('retry: 2000\n\n')
    this.#schedule()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer?.cancel()
    this.#response.end()
  }

  #schedule(): void {
    if (this.#isClosed) return
    this.#timer = this.#options.clock.setTimer(tickMs, () => void this.#tick())
  }

  async #tick(): Promise<void> {
    try {
      const answer = await this.#look()
      if (this.#isClosed) return
      if (answer === null && ++this.#quietTicks < beatTicks) return this.#schedule()
      this.#quietTicks = 0
      const text = answer === null ? ': still here\n\n' : `data: ${JSON.stringify(answer)}\n\n`
      if (this.#response.write(text)) this.#schedule()
      else this.#response.once('drain', () => this.#schedule())
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      if (this.#isClosed) return
      this.#response.write(`event: failed\ndata: ${JSON.stringify(error.message)}\n\n`)
      this.close()
    }
  }

  /** What has come since the last look; null where nothing has. */
  async #look(): Promise<TailAnswer | null> {
    const records: RecordAnswer[] = []
    let skipped = 0
    for (const { partition, openLog: log } of this.#options.partitions) {
      if (log === null) continue
      const at = this.#positions.get(log) ?? log.highWatermark
      const end = log.highWatermark
      const from = Math.max(at, end - recordsPerTick, log.logStartOffset)
      skipped += Math.max(0, from - at)
      this.#positions.set(log, end)
      if (from < end) skipped += await this.#read(partition, log, from, end, records)
    }
    if (records.length === 0 && skipped === 0) return null
    records.sort((one, other) => one.timestamp - other.timestamp || one.offset - other.offset)
    const shown = records.slice(-recordsPerTick)
    return { records: shown, skipped: skipped + records.length - shown.length }
  }

  /** Adds the records from one offset to before another; returns how many were too many. */
  async #read(
    partition: number,
    log: Log,
    from: Offset,
    end: Offset,
    records: RecordAnswer[],
  ): Promise<number> {
    const { filter, isolation } = this.#options
    const result = await log.read({ from, maxBytes: readBytes, isolation })
    for (const batch of result.batches) {
      if (batch.isControl || isAborted(batch, result.abortedTransactions)) continue
      for (const record of batch.records()) {
        if (record.offset < from || record.offset >= end) continue
        if (filter === null || filter(record)) {
          records.push(recordAnswer(partition, record, previewCut))
        }
      }
    }
    return Math.max(0, end - Math.max(from, result.nextOffset))
  }
}
