import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RequestTap } from '../../src/clients/request-tap.ts'
import type { RequestFacts } from '../../src/clients/request-watcher.ts'
import { freePorts } from '../../src/free-ports.ts'
import { LeashedProcess } from '../../src/kafka/leashed-process.ts'

/** What `npx varve` runs. */
export const varveCommand: string = join(
  import.meta.dirname,
  '../../../packages/varve/bin/varve.js',
)
const stopTimeoutMs = 20_000

export interface ServedOptions {
  /** Where clients find it. Default: one that is free. */
  readonly port?: number
  /** Whether requests are listened to. Default: true. */
  readonly isTapped?: boolean
  /** One that is there, and stays. Default: a new one, which goes with the server. */
  readonly directory?: string
  /** Of the server, by Kafka's names, besides those that all have. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A data directory, served by a process of its own behind a tap that listens to requests. */
export class ServedDirectory {
  readonly directory: string
  readonly port: number
  readonly #serverPort: number
  readonly #isOwn: boolean
  readonly #settings: Readonly<Record<string, string>>
  #server: LeashedProcess
  #tap: RequestTap | null = null

  private constructor(port: number, serverPort: number, options: ServedOptions) {
    const { directory, settings = {} } = options
    this.#settings = settings
    this.#isOwn = directory === undefined
    this.directory = directory ?? mkdtempSync(join(tmpdir(), 'varve-clients-'))
    this.port = port
    this.#serverPort = serverPort
    this.#server = this.#spawn()
  }

  static async start(options: ServedOptions = {}): Promise<ServedDirectory> {
    const { port, isTapped = true } = options
    const [outside = 0, inside = 0] = await freePorts(2)
    const behind = isTapped ? inside : (port ?? outside)
    const served = new ServedDirectory(port ?? outside, behind, options)
    try {
      await served.#ready()
      if (isTapped) await served.#listen()
      return served
    } catch (error) {
      await served.stop().catch(() => undefined)
      throw error
    }
  }

  /** As clients are told. */
  get bootstrapServers(): string {
    return `127.0.0.1:${this.port}`
  }

  /** The requests that have come. */
  get requests(): readonly RequestFacts[] {
    return this.#tap?.requests ?? []
  }

  /** How many requests of an API have come. */
  count(apiKey: number): number {
    return this.#tap?.counts.get(apiKey) ?? 0
  }

  /** What the server has printed to standard error. */
  get printed(): string {
    return this.#server.printed
  }

  /** Ends the server as a crash would, and serves the directory again. */
  async killAndServeAgain(): Promise<void> {
    await this.#server.kill()
    this.#server = this.#spawn()
    await this.#ready()
  }

  /** Rejects when the server doesn't end as it should. */
  async stop(): Promise<void> {
    await this.#tap?.close()
    const { isRunning } = this.#server
    await this.#server.stop(stopTimeoutMs)
    if (this.#isOwn) rmSync(this.directory, { recursive: true, force: true })
    if (!isRunning || this.#server.exitCode !== 0) {
      throw new Error(`the server ended with ${this.#server.exitCode}:\n${this.printed}`)
    }
  }

  /** Ends with this process, however that ends. */
  #spawn(): LeashedProcess {
    const settings = {
      'advertised.listeners': `PLAINTEXT://${this.bootstrapServers}`,
      'num.partitions': '4',
      // Members are told as soon as may be.
      'group.consumer.min.heartbeat.interval.ms': '300',
      'group.consumer.heartbeat.interval.ms': '300',
      ...this.#settings,
    }
    const set = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`])
    const listen = `127.0.0.1:${this.#serverPort}`
    const serve = ['serve', '--data', this.directory, '--listen', listen, ...set]
    const args = ['--pdeathsig', 'KILL', process.execPath, varveCommand, ...serve]
    return new LeashedProcess('the server', 'setpriv', args)
  }

  async #listen(): Promise<void> {
    this.#tap = await RequestTap.open({ port: this.port, target: this.#serverPort })
  }

  async #ready(): Promise<void> {
    const server = this.#server
    await new Promise<void>((resolve, reject) => {
      server.onLine(() => resolve())
      server.ended.then(() => reject(new Error(`the server ended:\n${server.printed}`)))
    })
  }
}
