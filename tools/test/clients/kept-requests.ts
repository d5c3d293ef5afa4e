import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RequestFacts } from '../../src/clients/request-watcher.ts'

export const requestsDirectory: string = join(
  import.meta.dirname,
  '../../../.cache/clients/requests',
)

/** Keeps what a client has asked for, for the table in docs/clients.md. */
export function keepRequests(client: string, requests: readonly RequestFacts[]): void {
  mkdirSync(requestsDirectory, { recursive: true })
  writeFileSync(join(requestsDirectory, `${client}.json`), `${JSON.stringify(requests, null, 1)}\n`)
}
