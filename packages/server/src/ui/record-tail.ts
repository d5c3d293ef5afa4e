import type { ServerResponse } from 'node:http'
import { type Logger, TopicNotFoundError } from '@varve/broker'
import type { Topic } from '@varve/broker/serving'
import type { Clock, Isolation, Log, Timer } from '@varve/log'
import { type Offset, VarveError } from '@varve/record'
import type { RecordAnswer, TailAnswer } from './answers.ts'
import { previewCut, recordAnswer } from './byte-answer.ts'
import type { PageReading } from './page-reading.ts'
import { type RecordFilter, recordFilter } from './record-filter.ts'
import { isAborted, ReadingBudget } from './record-window.ts'
import { UiRequestError } from './ui-errors.ts'
import type { UiQuery } from './ui-query.ts'

/** How often it is looked for new records. */
const tickMs = 250
/** Silence after which a comment is sent, so that a browser that is gone is noticed. */
const beatTicks = 40
/** So many records of a partition are looked at a tick; what is beyond is skipped, and counted. */
const recordsPerTick = 100
const readBytes = 256 * 1024
/** So much is read and decompressed a tick; partitions that do not get their turn are skipped. */
const tickBytesMax = 8 * 2 ** 20
/** Between looks at the time. */
const recordsPerLook = 64
const tailsMax = 16

/** What tails look by. */
export interface TailContext {
  readonly clock: Clock
  readonly logger: Logger
  readonly reading: PageReading
}

/** The live tails that are open, bounded in number. */
export class RecordTails {
  readonly #context: TailContext
  readonly #open = new Set<RecordTail>()

  constructor(context: TailContext) {
    this.#context = context
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
    const tail = new RecordTail(response, this.#context, {
      ...{ topic, partitions, filter: recordFilter(query) },
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
  readonly topic: Topic
  readonly partitions: Topic['partitions']
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
  readonly #context: TailContext
  readonly #options: TailOptions
  readonly #positions = new Map<Log, Offset>()
  #timer: Timer | null = null
  #quietTicks = 0
  /** The partition that is looked at first, so that all have their turn. */
  #first = 0
  #isClosed = false

  constructor(response: ServerResponse, context: TailContext, options: TailOptions) {
    this.#response = response
    this.#context = context
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
    this.#timer = this.#context.clock.setTimer(tickMs, () => void this.#tick())
  }

  async #tick(): Promise<void> {
    try {
      if (this.#options.topic.isDeleted) throw new TopicNotFoundError(this.#options.topic.name)
      const answer = this.#isBehind ? await this.#lookInTurn() : null
      if (this.#isClosed) return
      if (answer === null && ++this.#quietTicks < beatTicks) return this.#schedule()
      this.#quietTicks = 0
      const text = answer === null ? ': still here\n\n' : `data: ${JSON.stringify(answer)}\n\n`
      if (this.#response.write(text)) this.#schedule()
      else this.#response.once('drain', () => this.#schedule())
    } catch (error) {
      this.#fail(error)
    }
  }

  /** One view that fails ends nothing else. */
  #fail(err: unknown): void {
    if (this.#isClosed) return
    const isForeseen = err instanceof VarveError
    if (!isForeseen) this.#context.logger.error({ err }, 'a live tail failed')
    const message = isForeseen ? err.message : 'it failed; the server has logged why'
    this.#response.write(`event: failed\ndata: ${JSON.stringify(message)}\n\n`)
    this.close()
  }

  get #isBehind(): boolean {
    return this.#options.partitions.some(({ openLog: log }) => {
      return log !== null && (this.#positions.get(log) ?? 0) < log.highWatermark
    })
  }

  #lookInTurn(): Promise<TailAnswer | null> {
    return this.#context.reading.inTurn(this.#response, () => this.#look())
  }

  /** What has come since the last look; null where nothing has. */
  async #look(): Promise<TailAnswer | null> {
    const { partitions } = this.#options
    const records: RecordAnswer[] = []
    const budget = new ReadingBudget(tickBytesMax)
    let skipped = 0
    const first = this.#first++ % Math.max(1, partitions.length)
    for (const { partition, openLog: log } of [
      ...partitions.slice(first),
      ...partitions.slice(0, first),
    ]) {
      if (log === null) continue
      const at = this.#positions.get(log) ?? log.highWatermark
      const end = log.highWatermark
      const from = Math.max(at, end - recordsPerTick, log.logStartOffset)
      this.#positions.set(log, end)
      if (budget.isSpent) skipped += end - at
      else {
        skipped += Math.max(0, from - at)
        if (from < end) skipped += await this.#read({ partition, log, from, end, budget }, records)
      }
    }
    if (records.length === 0 && skipped === 0) return null
    records.sort((one, other) => one.timestamp - other.timestamp || one.offset - other.offset)
    const shown = records.slice(-recordsPerTick)
    return { records: shown, skipped: skipped + records.length - shown.length }
  }

  /** Adds the records from one offset to before another; returns how many were too many. */
  async #read(look: Look, records: RecordAnswer[]): Promise<number> {
    const { partition, log, from, end, budget } = look
    const { filter, isolation } = this.#options
    const { reading } = this.#context
    const result = await log.read({ from, maxBytes: readBytes, isolation })
    for (const batch of result.batches) {
      budget.spendBatch(batch)
      if (batch.isControl || isAborted(batch, result.abortedTransactions)) continue
      let seen = 0
      for (const record of batch.records({ memory: reading.memory })) {
        if (seen++ % recordsPerLook === 0) {
          const pause = reading.pause()
          if (pause !== undefined) await pause
        }
        budget.spendRecord(record)
        if (record.offset < from || record.offset >= end) continue
        if (filter === null || filter(record)) {
          records.push(recordAnswer(partition, record, previewCut))
        }
      }
    }
    return Math.max(0, end - Math.max(from, result.nextOffset))
  }
}

/** What of a partition is looked at. */
interface Look {
  readonly partition: number
  readonly log: Log
  readonly from: Offset
  readonly end: Offset
  readonly budget: ReadingBudget
}
