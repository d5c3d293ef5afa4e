import { openDataDirectory } from '@varve/broker'
import { LogLockedError } from '@varve/log'
import {
  readSecurity,
  type SecurityAdministration,
  type SecurityListing,
  securityOf,
  securityOfCluster,
} from '@varve/server'
import type { Home } from '../cluster/home.ts'
import { openCluster } from '../cluster/open-cluster.ts'

/** Looks at users and access rules; in a data directory without a lock. */
export async function lookAtSecurity<Result>(
  home: Home,
  look: (security: SecurityListing) => Promise<Result>,
): Promise<Result> {
  if ('data' in home) return look(readSecurity(home.data))
  await using varve = await openCluster(home.place)
  return await look(securityOfCluster(varve))
}

/** Changes users and access rules; a data directory must be nobody else's for that. */
export async function changeSecurity<Result>(
  home: Home,
  change: (security: SecurityAdministration) => Promise<Result>,
): Promise<Result> {
  if ('data' in home) {
    await using varve = await openUnserved(home.data)
    return await change(securityOf(varve))
  }
  await using varve = await openCluster(home.place)
  return await change(securityOfCluster(varve))
}

async function openUnserved(data: string) {
  try {
    return await openDataDirectory(data, { cleaning: false })
  } catch (error) {
    if (!(error instanceof LogLockedError)) throw error
    const hint = 'where a server has it open, change it there: --bootstrap-server HOST:PORT'
    throw new LogLockedError(error.path, error.holder, hint)
  }
}
