import type { IncomingMessage, ServerResponse } from 'node:http'

/** A request over HTTP, and where its answer goes. */
export interface HttpExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Of the request; its host is not to be relied on. */
  readonly url: URL
  /** Whether the caller has shown the token, or the listener has none. Else only open routes. */
  readonly isTrusted: boolean
  /** Whether so much of other answers is not read that no large one should be made. */
  readonly isCrowded: boolean
}

/** What answers at a path. */
export interface HttpRoute {
  /** As `/metrics`; with a slash at its end, as `/ui/`, everything below it as well. */
  readonly path: string
  /** GET includes HEAD. */
  readonly methods: readonly string[]
  /** Whether it also answers those who show no token. @defaultValue false */
  readonly isOpen?: boolean
  /** Answers. What it throws is logged, and told as 500 where nothing has been told yet. */
  handle(exchange: HttpExchange): void | Promise<void>
}

/** Answers with a text, or with the headers alone where those were asked for. */
export function sendText(
  { request, response }: HttpExchange,
  status: number,
  text: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  const bytes = Buffer.from(text, 'utf8')
  response.writeHead(status, { 'content-type': contentType, 'content-length': bytes.length })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

/** Answers with a JSON document. */
export function sendJson(exchange: HttpExchange, status: number, document: unknown): void {
  sendText(exchange, status, `${JSON.stringify(document)}\n`, 'application/json; charset=utf-8')
}
