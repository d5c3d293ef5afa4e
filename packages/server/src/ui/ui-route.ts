import {
  GroupNotEmptyError,
  GroupNotFoundError,
  InvalidTopicError,
  TopicExistsError,
  TopicNotFoundError,
} from '@varve/broker'
import type { Topic } from '@varve/broker/serving'
import { OffsetOutOfRangeError } from '@varve/log'
import { InvalidArgumentError, VarveError } from '@varve/record'
import type { UiOptions } from '../base/ui-options.ts'
import { type HttpExchange, type HttpRoute, sendJson } from '../http/http-route.ts'
import type { SessionAnswer } from './answers.ts'
import { BackupAnswers } from './backup-answers.ts'
import { cleaningAnswer } from './cleaning-answers.ts'
import { CleaningHistory } from './cleaning-history.ts'
import { groupAnswer, groupsAnswer } from './group-answers.ts'
import { pageFiles } from './page-files.ts'
import { type Onlooker, PageReading } from './page-reading.ts'
import { PartitionAnswers } from './partition-answers.ts'
import { oneRecord, recordBytes, recordsPage } from './record-pages.ts'
import { RecordTails } from './record-tail.ts'
import { healthAnswer, serverAnswer } from './server-answers.ts'
import { topicAnswer, topicsAnswer } from './topic-answers.ts'
import { runAction } from './ui-actions.ts'
import type { UiContext } from './ui-context.ts'
import { UiRequestError } from './ui-errors.ts'
import { jsonBody, setSecurityHeaders, UiGuard } from './ui-guard.ts'
import { UiQuery } from './ui-query.ts'

const root = '/ui/'
const apiRoot = '/ui/api/'

/**
 * The page to look at, `/ui/`, and what it asks, below `/ui/api/`. Changes nothing unless `writes`
 * is set.
 */
export class UiRoute implements HttpRoute {
  readonly path: string = root
  readonly methods: readonly string[] = ['GET', 'POST']
  readonly #context: UiContext
  readonly #writes: boolean
  readonly #guard = new UiGuard()
  readonly #partitions: PartitionAnswers
  readonly #history: CleaningHistory
  readonly #backups: BackupAnswers
  readonly #reading: PageReading
  readonly #tails: RecordTails
  readonly #startedMs: number

  constructor(context: UiContext, options: UiOptions = {}) {
    const { writes = false, repositories = [] } = options
    this.#context = context
    this.#writes = writes
    this.#partitions = new PartitionAnswers(context)
    this.#history = new CleaningHistory(context.clock)
    this.#backups = new BackupAnswers(repositories, context.clock)
    this.#reading = new PageReading(context.clock)
    this.#tails = new RecordTails({ ...context, reading: this.#reading })
    this.#startedMs = context.clock.monotonic()
  }

  async handle(exchange: HttpExchange): Promise<void> {
    setSecurityHeaders(exchange.response)
    const { pathname } = exchange.url
    if (!pathname.startsWith(apiRoot)) {
      sendPageFile(exchange, pathname.slice(root.length))
      return
    }
    try {
      const parts = pathname.slice(apiRoot.length).split('/').map(decoded)
      if (exchange.request.method === 'POST') await this.#write(exchange, parts)
      else await this.#read(exchange, parts)
    } catch (error) {
      const status = statusOf(error)
      if (status === null || exchange.response.headersSent) throw error
      const { message, code } = error as VarveError
      sendJson(exchange, status, { error: message, code })
    }
  }

  /** Ends live tails, and takes note of cleaning no more. */
  close(): void {
    this.#tails.close()
    this.#history.close()
  }

  async #write(exchange: HttpExchange, parts: readonly string[]): Promise<void> {
    const [kind, name = '', ...rest] = parts
    if (kind !== 'actions' || rest.length > 0) throw nothingHere()
    if (!this.#writes) throw new UiRequestError(403, 'the page is for reading only')
    this.#guard.checkWrite(exchange.request)
    const body = await jsonBody(exchange.request)
    sendJson(exchange, 200, await runAction(this.#context, name, body))
  }

  async #read(exchange: HttpExchange, parts: readonly string[]): Promise<void> {
    this.#guard.checkRead(exchange.request)
    const query = new UiQuery(exchange.url.searchParams)
    const [kind = '', name, what, ...rest] = parts
    if (rest.length > 0) throw nothingHere()
    if (kind === 'topics' && name !== undefined && what !== undefined) {
      await this.#readRecords(exchange, this.#topic(name), what, query)
      return
    }
    if (what !== undefined) throw nothingHere()
    const answer = await this.#answer(kind, name ?? null, query, exchange.response)
    sendJson(exchange, 200, answer)
  }

  async #answer(
    kind: string,
    name: string | null,
    query: UiQuery,
    onlooker: Onlooker,
  ): Promise<unknown> {
    const context = this.#context
    if (name !== null) {
      if (kind === 'groups') return groupAnswer(context, name)
      if (kind !== 'topics') throw nothingHere()
      const topic = this.#topic(name)
      return this.#reading.answer(onlooker, () => {
        return topicAnswer(context, this.#partitions, topic, query)
      })
    }
    switch (kind) {
      case 'session':
        return this.#session()
      case 'topics':
        return topicsAnswer(context, query)
      case 'groups':
        return groupsAnswer(context, query)
      case 'cleaning':
        return cleaningAnswer(context, this.#history, query)
      case 'backups':
        return this.#backups.answer()
      case 'server':
        return serverAnswer(context, this.#startedMs)
      default:
        throw nothingHere()
    }
  }

  async #readRecords(
    exchange: HttpExchange,
    topic: Topic,
    what: string,
    query: UiQuery,
  ): Promise<void> {
    const read = <Value>(answer: () => Promise<Value>): Promise<Value> =>
      this.#reading.answer(exchange.response, () => {
        // It was not when the question came; those before it have been answered since.
        if (exchange.isCrowded)
          throw new UiRequestError(503, 'other answers are not read: ask again')
        return answer()
      })
    if (what === 'records') {
      sendJson(exchange, 200, await read(() => recordsPage(topic, query, this.#reading)))
    } else if (what === 'record') sendJson(exchange, 200, await read(() => oneRecord(topic, query)))
    else if (what === 'bytes') sendBytes(exchange, await read(() => recordBytes(topic, query)))
    else if (what === 'tail') this.#openTail(exchange, topic, query)
    else throw nothingHere()
  }

  #openTail({ request, response }: HttpExchange, topic: Topic, query: UiQuery): void {
    if (request.method === 'HEAD') response.writeHead(200).end()
    else this.#tails.open(topic, query, response)
  }

  #topic(name: string): Topic {
    return this.#context.parts.topics.topic(name)
  }

  #session(): SessionAnswer {
    const { clusterId, nodeId } = this.#context
    const token = this.#writes ? this.#guard.token : null
    return {
      ...{ clusterId, nodeId, writes: this.#writes, token },
      health: healthAnswer(this.#context),
    }
  }
}

function sendPageFile({ request, response }: HttpExchange, path: string): void {
  const file = pageFiles().get(path === '' ? 'index.html' : path)
  if (file === undefined || request.method === 'POST') {
    response.writeHead(404).end()
    return
  }
  // Kept by the browser, and asked for again each time.
  response.setHeader('cache-control', 'no-cache')
  response.setHeader('etag', file.tag)
  if (request.headers['if-none-match'] === file.tag) {
    response.writeHead(304).end()
    return
  }
  const { contentType, bytes } = file
  response.writeHead(200, { 'content-type': contentType, 'content-length': bytes.length })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

/** To be saved, and never shown: what is in records may be a page of its own. */
function sendBytes({ response }: HttpExchange, bytes: Buffer): void {
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment; filename="record.bin"',
    'content-length': bytes.length,
  })
  response.end(bytes)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw nothingHere()
  }
}

function nothingHere(): UiRequestError {
  return new UiRequestError(404, 'there is nothing here')
}

/** Of HTTP; null for what is no answer to a question but a fault. */
function statusOf(error: unknown): number | null {
  if (error instanceof UiRequestError) return error.status
  if (error instanceof TopicNotFoundError || error instanceof GroupNotFoundError) return 404
  if (error instanceof TopicExistsError || error instanceof GroupNotEmptyError) return 409
  if (error instanceof InvalidArgumentError || error instanceof InvalidTopicError) return 400
  if (error instanceof OffsetOutOfRangeError) return 410
  return error instanceof VarveError ? 500 : null
}
