import type { DirectoryVarve } from '@varve/broker'
import { partsOf, silentLogger, type Topic } from '@varve/broker/serving'
import { systemClock } from '@varve/log'
import type { ServerOptions } from '../../src/base/server-options.ts'
import type { UiOptions } from '../../src/base/ui-options.ts'
import type { Server } from '../../src/server.ts'
import type { RecordsAnswer } from '../../src/ui/answers.ts'
import { PageReading } from '../../src/ui/page-reading.ts'
import { recordsPage } from '../../src/ui/record-pages.ts'
import type { UiContext } from '../../src/ui/ui-context.ts'
import { UiQuery } from '../../src/ui/ui-query.ts'
import { ask, type HttpAnswer } from '../http/http-client.ts'
import { startTestServer } from '../test-server.ts'

export interface UiUser {
  readonly server: Server
  readonly varve: DirectoryVarve
  /** What the functions behind the page are given. */
  readonly context: UiContext
  /** As `127.0.0.1:1234`. */
  readonly address: string
  get(path: string, headers?: Record<string, string>): Promise<HttpAnswer>
  /** What a question is answered with; fails for anything but 200. */
  json<Answer>(path: string): Promise<Answer>
  /** Asks for a change as the page does; `headers` may say otherwise. */
  change(
    action: string,
    fields: unknown,
    headers?: Record<string, string | undefined>,
  ): Promise<HttpAnswer>
}

/** Asks for a page of a topic's records, with nobody else asking. */
export function pageOf(topic: Topic, query: string): Promise<RecordsAnswer> {
  return recordsPage(topic, queryOf(query), new PageReading(systemClock))
}

/** Has a server with a page, in memory, as long as it is used. */
export async function withUi(
  use: (user: UiUser) => Promise<void>,
  ui: UiOptions = {},
  options: Omit<ServerOptions, 'data' | 'varve'> = {},
): Promise<void> {
  await using server = await startTestServer({ http: { port: 0 }, ...options, ui })
  await use(userOf(server))
}

function userOf(server: Server): UiUser {
  const address = server.httpAddress ?? ''
  const { varve } = server
  const parts = partsOf(varve)
  if (parts === null) throw new Error('a server has a data directory')
  const get = (path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> =>
    ask(address, `/ui/${path}`, { headers })
  const json = async <Answer>(path: string): Promise<Answer> => {
    const { status, text } = await get(`api/${path}`)
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
    return JSON.parse(text) as Answer
  }
  return {
    ...{ server, varve, address, get, json },
    context: {
      ...{ varve, parts, clusterId: 'c', nodeId: 1, clock: systemClock, logger: silentLogger },
      listeners: () => [],
    },
    change: async (action, fields, headers = {}) => {
      const { token } = await json<{ token: string | null }>('session')
      const usual = {
        origin: originOf(address),
        'content-type': 'application/json',
        'x-varve-token': token ?? '',
      }
      const sent = Object.entries({ ...usual, ...headers }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      )
      const body = JSON.stringify(fields)
      const given = { method: 'POST', headers: Object.fromEntries(sent), body }
      return ask(address, `/ui/api/actions/${action}`, given)
    },
  }
}

/** Of the page, at an address of this machine. */
export function originOf(address: string): string {
  return ['http:', '', address].join('/')
}

/** Parameters of a question, as `limit=2&from=latest`. */
export function queryOf(text: string): UiQuery {
  return new UiQuery(new URLSearchParams(text))
}

/** Sends values, each as its own record of a partition; timestamps count from 1000 on. */
export async function sendAll(
  varve: DirectoryVarve,
  topic: string,
  values: readonly string[],
  partition = 0,
): Promise<void> {
  await using producer = varve.producer()
  for (const [index, value] of values.entries()) {
    const record = { key: `k${index % 3}`, value, timestamp: 1000 + index }
    await producer.send(topic, record, { partition })
  }
}
