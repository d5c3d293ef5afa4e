import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RequestFacts } from '../../src/clients/request-watcher.ts'

const directory = join(import.meta.dirname, '../../../.cache/clients/requests')

/** Keeps what a client has asked for, for the table in docs/clients.md. */
export function keepRequests(client: string, requests: readonly RequestFacts[]): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, `${client}.json`), `${JSON.stringify(requests, null, 1)}\n`)
}
