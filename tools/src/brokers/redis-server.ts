import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../free-ports.ts'
import type { UnpackedPackages } from '../s3/debian-packages.ts'
import { startLeashed, waitForPort } from '../s3/s3-server.ts'
import type { RunningServer } from './running-server.ts'

const startTimeoutMs = 30_000

/**
 * Starts Redis with its append-only file, flushed before each answer (`appendfsync always`), and no
 * snapshots beside it, nor rewriting of that file while something is measured.
 */
export async function startRedis(
  packages: UnpackedPackages,
  directory: string,
): Promise<RunningServer> {
  const [port = 0] = await freePorts(1)
  const settings = join(directory, 'redis.conf')
  mkdirSync(directory, { recursive: true })
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${directory}`,
    'appendonly yes',
    'appendfsync always',
    'auto-aof-rewrite-percentage 0',
    'save ""',
    'stream-node-max-entries 100',
    'stream-node-max-bytes 4096',
  ]
  writeFileSync(settings, `${lines.join('\n')}\n`)
  const child = startLeashed(packages, 'redis-server', [settings])
  await waitForPort(child, port, startTimeoutMs)
  return { port, promises: ['flushed', 'written'], settings: lines, stop: () => child.kill() }
}
