import type { TestProject } from 'vitest/node'
import type { ClientAvailability } from '../../src/clients/client-program.ts'
import { type ClientName, triedClient } from '../../src/clients/tried-clients.ts'

/** Clients that tests have a use for beside Kafka's own. */
const names = ['confluent-python', 'kafkajs', 'kcat'] as const satisfies readonly ClientName[]

export type ClientBeside = (typeof names)[number]

declare module 'vitest' {
  export interface ProvidedContext {
    readonly clientsBeside: Readonly<Record<ClientBeside, ClientAvailability>>
  }
}

/**
 * Fetches them once, as the tests of the clients do. Where one can't be had its tests are skipped,
 * unless VARVE_REQUIRE_CLIENTS=1 says that they must run (as in continuous integration).
 */
export default async function fetchClientsBeside(project: TestProject): Promise<void> {
  const found: Partial<Record<ClientBeside, ClientAvailability>> = {}
  for (const name of names) {
    const availability = await triedClient(name)
    found[name] = availability
    if (availability.available) continue
    const what = `the client ${name} is not available`
    if (process.env['VARVE_REQUIRE_CLIENTS'] === '1') {
      throw new Error(`${what}: ${availability.reason}`)
    }
    console.warn(`${what}, its tests are skipped: ${availability.reason}`)
  }
  project.provide('clientsBeside', found as Record<ClientBeside, ClientAvailability>)
}
