import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openVarve } from '@varve/broker'
import { repositoryRoot } from './demo-settings.ts'

export interface ServeProof {
  /** From the start of the process until it served; then after it was killed. */
  readonly startMs: number
  readonly restartMs: number
  readonly records: number
  readonly sendingMs: number
}

const servedTopic = 'served'
const group = 'demo'
const records = 10_000

/**
 * Serves the directory, sends records through a client of Kafka's protocol while the server is
 * killed once, and proves that a group reads each that was acknowledged. Throws where one is
 * missing or comes twice.
 */
export async function serveAndProve(data: string): Promise<ServeProof> {
  const startedMs = performance.now()
  let server = await ServerProcess.start(data, '127.0.0.1:0')
  const startMs = performance.now() - startedMs
  try {
    await using cluster = await openVarve(`kafka://${server.address}`)
    await cluster.createTopic(servedTopic, { partitions: 3 })
    const producer = cluster.producer()
    const sendingMs = performance.now()
    const names = Array.from({ length: records }, (_, index) => `record-${index}`)
    const send = (key: string) => producer.send(servedTopic, { key, value: key })
    await Promise.all(names.slice(0, records / 2).map(send))
    const rest = Promise.all(names.slice(records / 2).map(send))
    await server.kill()
    const restartingMs = performance.now()
    server = await ServerProcess.start(data, server.address)
    const restartMs = performance.now() - restartingMs
    await rest
    const sentMs = performance.now() - sendingMs
    const consumer = cluster.consumer({ group, topics: [servedTopic], follow: false })
    const missing = new Set(names)
    for await (const { value } of consumer) {
      if (!missing.delete(String(value))) throw new Error(`${value} came twice, or from elsewhere`)
    }
    await consumer.close()
    if (missing.size > 0) throw new Error(`${missing.size} acknowledged records are missing`)
    return { startMs, restartMs, records, sendingMs: sentMs }
  } finally {
    await server.stop()
  }
}

/** `varve serve`, as users run it. */
class ServerProcess {
  readonly address: string
  readonly #child: ReturnType<typeof spawn>

  private constructor(child: ReturnType<typeof spawn>, address: string) {
    this.#child = child
    this.address = address
  }

  static async start(data: string, listen: string): Promise<ServerProcess> {
    const command = join(repositoryRoot, 'packages', 'varve', 'bin', 'varve.js')
    const args = [command, 'serve', '--data', data, '--listen', listen]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    for await (const line of createInterface({ input: child.stdout })) {
      const address = /^Serving .* on (\S+)$/.exec(line)?.[1]
      if (address !== undefined) return new ServerProcess(child, address)
    }
    throw new Error('varve serve ended before it served')
  }

  /** As nothing else ends it: it cannot catch this, write, or tidy up. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill(signal)
    await ended
  }
}
