import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const finder = fileURLToPath(new URL('../../../tools/dist/load-program.js', import.meta.url))
/** A program is fetched and compiled within. */
const findMsMax = 10 * 60_000
const runMsMax = 90_000

/** What `load` says of a run. */
export interface LoadResult {
  readonly records: number
  readonly seconds: number
  /** The client's. */
  readonly cpuSeconds: number
  /** Of all values that were sent or read, whatever their order. */
  readonly sum: string
}

export interface LatencyResult extends Omit<LoadResult, 'seconds'> {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

/** A topic of a broker on the loopback interface. */
export interface LoadTarget {
  readonly port: number
  readonly topic: string
  readonly partitions: number
}

/** Records in a file, one behind the other. */
export interface PayloadFile {
  readonly path: string
  readonly recordBytes: number
}

interface Program {
  readonly command: string
  readonly environment: Readonly<Record<string, string>>
  readonly version: string
}

type Found =
  | { readonly available: true; readonly program: Program }
  | { readonly available: false; readonly reason: string }

/** Producers and consumers of librdkafka in a process of their own: `tools/clients/c/load.c`. */
export class Load {
  readonly #program: Program

  private constructor(program: Program) {
    this.#program = program
  }

  /** Fetches and compiles it the first time. A text says why it can't be had. */
  static async find(): Promise<Load | string> {
    const { stdout } = await execute(process.execPath, [finder], { timeout: findMsMax })
    const found = JSON.parse(stdout) as Found
    return found.available ? new Load(found.program) : found.reason
  }

  get name(): string {
    return `librdkafka ${this.#program.version}`
  }

  /** As fast as it goes, to all partitions in turn. */
  produce(
    target: LoadTarget,
    payload: PayloadFile,
    records: number,
    settings: readonly string[],
  ): Promise<LoadResult> {
    return this.#run('produce', target, [...argumentsOf(payload), records], settings)
  }

  /** So many producers, each with one record under way. */
  produceSerially(
    target: LoadTarget,
    payload: PayloadFile,
    { records, producers }: { readonly records: number; readonly producers: number },
    settings: readonly string[],
  ): Promise<LoadResult> {
    return this.#run('serial', target, [...argumentsOf(payload), records, producers], settings)
  }

  /** All partitions from their starts, without a group. */
  consume(target: LoadTarget, records: number): Promise<LoadResult> {
    return this.#run('consume', target, [records], [])
  }

  /** From when a record is due until a consumer has it. */
  latency(
    target: LoadTarget,
    payload: PayloadFile,
    pace: { readonly rate: number; readonly seconds: number; readonly warmUpSeconds: number },
    settings: readonly string[],
  ): Promise<LatencyResult> {
    const { rate, seconds, warmUpSeconds } = pace
    const args = [...argumentsOf(payload), rate, seconds, warmUpSeconds]
    return this.#run('latency', target, args, settings)
  }

  async #run<Result>(
    verb: string,
    { port, topic, partitions }: LoadTarget,
    args: readonly (string | number)[],
    settings: readonly string[],
  ): Promise<Result> {
    const { command, environment } = this.#program
    const place = [`127.0.0.1:${port}`, topic, partitions]
    // It warns of settings that only producers or only consumers have.
    const all = [verb, ...place, ...args, 'log_level=3', ...settings].map(String)
    const env = { ...process.env, ...environment }
    const { stdout } = await execute(command, all, { timeout: runMsMax, env })
    return JSON.parse(stdout) as Result
  }
}

function argumentsOf({ path, recordBytes }: PayloadFile): readonly (string | number)[] {
  return [path, recordBytes]
}
