import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cephPackageNames, startCeph } from '../../src/s3/ceph-server.ts'
import { debianPackages, type UnpackedPackages } from '../../src/s3/debian-packages.ts'
import type { S3Server } from '../../src/s3/s3-server.ts'
import { startSwift, swiftPackageNames } from '../../src/s3/swift-server.ts'

/** A server, or why there is none. What tests read of it is JSON in the environment. */
type Outcome = { readonly name: string; readonly reason: string } | S3Server['access']

const kinds = [
  { name: 'Ceph radosgw', packages: cephPackageNames, start: startCeph },
  { name: 'OpenStack Swift', packages: swiftPackageNames, start: startSwift },
]

const running: S3Server[] = []
let directory: string | null = null

/**
 * Starts the servers once, before any test file runs. Where one can't be had its tests are skipped,
 * unless VARVE_REQUIRE_S3=1 says that they must run (as in continuous integration). Others to test
 * against instead may be named by VARVE_S3_SERVERS.
 */
export async function setup(): Promise<void> {
  if (process.env['VARVE_S3_SERVERS'] !== undefined) return
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'varve-s3-'))
  const outcomes: Outcome[] = []
  for (const kind of kinds) outcomes.push(await startOne(kind, join(directory, kind.name[0] ?? '')))
  process.env['VARVE_S3_SERVERS'] = JSON.stringify(outcomes)
}

export async function teardown(): Promise<void> {
  await Promise.all(running.map((server) => server.stop()))
  if (directory !== null) rmSync(directory, { recursive: true, force: true })
}

async function startOne(
  { name, packages: names, start }: (typeof kinds)[number],
  place: string,
): Promise<Outcome> {
  const startedMs = performance.now()
  const availability = await debianPackages(names)
  if (!availability.available) return unavailable(name, availability.reason)
  const fetchedMs = performance.now()
  const server = await startIn(availability.packages, place, start)
  if (typeof server === 'string') return unavailable(name, server)
  running.push(server)
  const took = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  const [fetching, starting] = [fetchedMs - startedMs, performance.now() - fetchedMs].map(took)
  console.info(`${name}: fetched in ${fetching}, started in ${starting}`)
  return server.access
}

async function startIn(
  packages: UnpackedPackages,
  place: string,
  start: (typeof kinds)[number]['start'],
): Promise<S3Server | string> {
  try {
    return await start(packages, place)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function unavailable(name: string, reason: string): Outcome {
  if (process.env['VARVE_REQUIRE_S3'] === '1') throw new Error(`${name} cannot be had: ${reason}`)
  console.warn(`${name} cannot be had, its tests are skipped: ${reason}`)
  return { name, reason }
}
