import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Promised } from '../peer.ts'

const program = fileURLToPath(new URL('../../../../tools/dist/broker-process.js', import.meta.url))

/** A broker that another process has started, with whatever it said of it. */
export interface BrokerProcess {
  readonly port: number
  /** Of a process that has started the broker's. */
  readonly pid: number
  readonly promises: readonly Promised[]
  readonly settings: readonly string[]
  readonly version: string
  /** Of Kafka's only: what its own tools run with. */
  readonly java?: string
  readonly classpath?: string
  /** Of Kafka's only: how it was started, and can be started again. */
  readonly javaArguments?: readonly string[]
  stop(): Promise<void>
}

type Said = { readonly available: false; readonly reason: string } | AvailableBroker
type AvailableBroker = { readonly available: true } & Omit<BrokerProcess, 'stop' | 'pid'>

/**
 * Starts a broker in a directory, fetching it where it was never fetched before. A text says why it
 * can't be had. It ends with this process, however that ends.
 */
export async function startBroker(
  kind: 'kafka' | 'redis' | 'nats',
  directory: string,
): Promise<BrokerProcess | string> {
  const child = spawn(process.execPath, [program, kind, directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
  })
  const said = await firstLine(child.stdout, ended)
  if (!said.available) return said.reason
  return {
    ...said,
    pid: child.pid ?? 0,
    stop: async () => {
      child.stdin.end()
      await ended
    },
  }
}

async function firstLine(stdout: NodeJS.ReadableStream, ended: Promise<void>): Promise<Said> {
  const line = await new Promise<string | null>((resolve) => {
    createInterface({ input: stdout }).once('line', resolve)
    void ended.then(() => resolve(null))
  })
  if (line === null) return { available: false, reason: 'it ended before it said anything' }
  return JSON.parse(line) as Said
}
