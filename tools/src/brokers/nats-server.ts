import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../free-ports.ts'
import type { UnpackedPackages } from '../s3/debian-packages.ts'
import { startLeashed, waitForPort } from '../s3/s3-server.ts'
import type { RunningServer } from './running-server.ts'

const startTimeoutMs = 30_000

/**
 * Starts NATS with JetStream, flushing each message (`sync_interval: always`) where this version
 * knows that setting: those before 2.10 flush every two minutes, and promise nothing more.
 */
export async function startNats(
  packages: UnpackedPackages,
  directory: string,
): Promise<RunningServer> {
  mkdirSync(directory, { recursive: true })
  try {
    return await startWith(packages, directory, ['sync_interval: always'])
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('unknown field')) throw error
    return await startWith(packages, directory, [])
  }
}

async function startWith(
  packages: UnpackedPackages,
  directory: string,
  own: readonly string[],
): Promise<RunningServer> {
  const [port = 0] = await freePorts(1)
  const path = join(directory, 'nats.conf')
  const store = [`store_dir: "${join(directory, 'data')}"`, 'max_memory_store: 64MB', ...own]
  const lines = ['host: "127.0.0.1"', `port: ${port}`, `jetstream { ${store.join(', ')} }`]
  writeFileSync(path, `${lines.join('\n')}\n`)
  const child = startLeashed(packages, 'nats-server', ['-c', path])
  await waitForPort(child, port, startTimeoutMs)
  const promises = own.length > 0 ? (['flushed'] as const) : (['written'] as const)
  return { port, promises, settings: lines, stop: () => child.kill() }
}
