import {
  type CreateTopicOptions,
  openVarve,
  readVarve,
  TopicNotFoundError,
  type Varve,
  type VarveOptions,
} from '@varve/broker'
import { type FileSystem, nodeFileSystem, systemClock } from '@varve/log'
import { makeDirectories, removeTree } from '@varve/log/files'
import { BenchTopicExistsError } from './bench-errors.ts'

/** Where a run takes place. */
export interface PlaceOptions {
  /** A directory in which a scratch directory is made, or `kafka://host:port`. */
  readonly address: string
  /**
   * A topic of the data directory, or cluster, at `address` itself. Null: a topic of the run's own,
   * in the scratch directory, which is removed with it.
   */
  readonly topic?: string | null
  /** Write to `topic`, which has to be there already. @defaultValue false */
  readonly existing?: boolean
  /** Never make `topic`: it is only read. @defaultValue false */
  readonly readOnly?: boolean
  /** Leave what was made where it is. @defaultValue false */
  readonly keep?: boolean
  /** Of a topic that is made. @defaultValue {} */
  readonly topicSettings?: CreateTopicOptions
  /** How to reach a cluster. @defaultValue {} */
  readonly cluster?: NonNullable<VarveOptions['cluster']>
  readonly fs?: FileSystem
}

/** Whether an address is that of a Kafka cluster. */
export function isCluster(address: string): boolean {
  return /^kafka(?:\+\w+)?:/i.test(address)
}

let places = 0

/** A name that no other run has at the same time. */
export function scratchName(): string {
  places += 1
  return `varve-bench-${systemClock.now().toString(36)}-${process.pid}-${places}`
}

/** A directory that is there until it is disposed of. */
export class ScratchDirectory implements AsyncDisposable {
  readonly path: string
  readonly #fs: FileSystem
  readonly #keep: boolean

  private constructor(path: string, fs: FileSystem, keep: boolean) {
    this.path = path
    this.#fs = fs
    this.#keep = keep
  }

  static async make(
    parent: string,
    { fs = nodeFileSystem, keep = false }: { fs?: FileSystem; keep?: boolean } = {},
  ): Promise<ScratchDirectory> {
    const path = `${parent.replace(/(?<=.)\/+$/, '')}/${scratchName()}`
    await makeDirectories(fs, path)
    return new ScratchDirectory(path, fs, keep)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#keep && this.#fs.stat(this.path) !== null) await removeTree(this.#fs, this.path)
  }
}

/** Topics that a run may use, and the one that it does. */
export class BenchPlace implements AsyncDisposable {
  readonly varve: Varve
  readonly topic: string
  /** What `varve` was opened with: for another process. */
  readonly address: string
  /** Null on a cluster. */
  readonly directory: string | null
  readonly partitions: number
  readonly #scratch: ScratchDirectory | null
  readonly #removesTopic: boolean

  private constructor(
    varve: Varve,
    found: { topic: string; address: string; partitions: number; removesTopic: boolean },
    scratch: ScratchDirectory | null,
  ) {
    this.varve = varve
    this.topic = found.topic
    this.address = found.address
    this.directory = isCluster(found.address) ? null : found.address
    this.partitions = found.partitions
    this.#removesTopic = found.removesTopic
    this.#scratch = scratch
  }

  /**
   * Opens it, and makes the topic where there is none. Rejects with BenchTopicExistsError,
   * TopicNotFoundError, and as `openVarve` does.
   */
  static async open(options: PlaceOptions): Promise<BenchPlace> {
    const { topic = null, keep = false, existing = false, fs = nodeFileSystem } = options
    if (topic !== null && existing) await requireTopic(options.address, topic)
    const isOwn = topic === null && !isCluster(options.address)
    const scratch = isOwn ? await ScratchDirectory.make(options.address, { fs, keep }) : null
    const address = scratch?.path ?? options.address
    let varve: Varve | null = null
    try {
      // Whatever retention a topic is due for is no part of a run.
      varve = await openVarve(address, {
        cleaning: false,
        ...(options.cluster !== undefined && { cluster: options.cluster }),
      })
      const name = topic ?? scratchName()
      const { readOnly = false } = options
      if (readOnly || existing) await varve.describeTopic(name)
      const found = await partitionsOf(varve, name)
      if (found !== null && !existing && !readOnly) throw new BenchTopicExistsError(name)
      const { partitions } =
        found === null
          ? { partitions: await make(varve, name, options.topicSettings ?? {}) }
          : { partitions: found }
      const removesTopic = found === null && !keep
      return new BenchPlace(varve, { topic: name, address, partitions, removesTopic }, scratch)
    } catch (error) {
      await varve?.close().catch(() => undefined)
      await scratch?.[Symbol.asyncDispose]()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#removesTopic && this.#scratch === null) await this.varve.deleteTopic(this.topic)
    } finally {
      await this.varve.close().finally(() => this.#scratch?.[Symbol.asyncDispose]())
    }
  }
}

/** Looked for by a reader: opening a directory to write makes a data directory of it. */
async function requireTopic(address: string, topic: string): Promise<void> {
  if (isCluster(address)) return
  await using reader = await readVarve(address)
  await reader.describeTopic(topic)
}

async function make(varve: Varve, name: string, settings: CreateTopicOptions): Promise<number> {
  const { partitions } = await varve.createTopic(name, settings)
  return partitions.length
}

/** Null where there is no such topic. */
async function partitionsOf(varve: Varve, name: string): Promise<number | null> {
  try {
    return (await varve.describeTopic(name)).partitions.length
  } catch (error) {
    if (error instanceof TopicNotFoundError) return null
    throw error
  }
}
