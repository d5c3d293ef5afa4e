import type { TestProject } from 'vitest/node'
import type { ClientAvailability } from '../../src/clients/client-program.ts'
import { type ClientName, clientNames, triedClient } from '../../src/clients/tried-clients.ts'
import { writeRequestsTable } from './requests-table.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    readonly clients: Readonly<Record<ClientName, ClientAvailability>>
  }
}

/**
 * Fetches the clients once, before any test file runs. Where one can't be had its tests are
 * skipped, unless VARVE_REQUIRE_CLIENTS=1 says that they must run (as in continuous integration).
 * VARVE_CLIENTS_TABLE=1 writes what they have sent into docs/clients.md afterwards.
 */
export default async function fetchClients(project: TestProject): Promise<() => void> {
  const found: Partial<Record<ClientName, ClientAvailability>> = {}
  const startedMs = performance.now()
  // One after the other where they share what they fetch.
  for (const name of clientNames) {
    const availability = await triedClient(name)
    found[name] = availability
    if (availability.available) continue
    if (process.env['VARVE_REQUIRE_CLIENTS'] === '1') {
      throw new Error(`the client ${name} is not available: ${availability.reason}`)
    }
    console.warn(
      `the client ${name} is not available, its tests are skipped: ${availability.reason}`,
    )
  }
  console.info(`clients fetched in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
  project.provide('clients', found as Record<ClientName, ClientAvailability>)
  return () => {
    if (process.env['VARVE_CLIENTS_TABLE'] === '1') writeRequestsTable()
  }
}
