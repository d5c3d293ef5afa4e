import { decodeCheckedJson, encodeCheckedJson } from '@varve/broker/serving'
import { type FileSystem, StorageError } from '@varve/log'
import { readSmallFile, replaceSmallFile } from '@varve/log/files'
import { CorruptServerStateError, RequestRefusedError } from './server-errors.ts'

/** In the data directory, beside the catalogue of topics. */
export const serverStateFileName = 'varve-server'

/** Parts of the state belong to different owners, who check what they read. */
export type StateSection =
  | 'clusterId'
  | 'users'
  | 'acls'
  | 'quotas'
  | 'brokerSettings'
  | 'groupConfigs'

type Sections = Readonly<Partial<Record<StateSection, unknown>>>

const format = { magic: 'VSRV', version: 1 } as const
const stateBytesMax = 32 * 2 ** 20

/**
 * What a server knows beside topics, groups and transactions: the cluster's id, credentials, access
 * control lists, quotas, settings of the broker. One small file, replaced whole: a change is there
 * entirely or not at all, and durable when it is told.
 */
export class ServerState {
  readonly #fs: FileSystem
  readonly #path: string
  #sections: Sections
  #last: Promise<unknown> = Promise.resolve()

  private constructor(fs: FileSystem, path: string, sections: Sections) {
    this.#fs = fs
    this.#path = path
    this.#sections = sections
  }

  /** Empty where there is no file yet. Throws CorruptServerStateError. */
  static load(fs: FileSystem, directory: string): ServerState {
    const path = `${directory}/${serverStateFileName}`
    const bytes = readSmallFile(fs, path, stateBytesMax)
    return new ServerState(fs, path, bytes === null ? {} : decodeState(bytes, path))
  }

  /** What was stored of a section; undefined where nothing was. Whoever reads it checks it. */
  section(name: StateSection): unknown {
    return this.#sections[name]
  }

  /** For an owner that finds its section unusable. */
  damaged(name: StateSection, reason: string): CorruptServerStateError {
    return new CorruptServerStateError(this.#path, `${name}: ${reason}`)
  }

  /**
   * Replaces a section, by what is made of it when its turn has come. Rejects with StorageError,
   * with RequestRefusedError where there would be too much, or with what `change` throws: then
   * nothing has changed.
   */
  update<Value>(name: StateSection, change: () => Value): Promise<Value> {
    const updating = this.#last.then(async () => {
      const value = change()
      const sections = { ...this.#sections, [name]: value }
      await this.#write(sections)
      this.#sections = sections
      return value
    })
    this.#last = updating.catch(() => undefined)
    return updating
  }

  async #write(sections: Sections): Promise<void> {
    const bytes = encodeCheckedJson(format, sections)
    // It could not be read again.
    if (bytes.length > stateBytesMax) {
      const rule = `the server keeps no more than ${stateBytesMax} bytes of users, rules and quotas`
      throw new RequestRefusedError('POLICY_VIOLATION', rule)
    }
    try {
      await replaceSmallFile(this.#fs, this.#path, bytes)
    } catch (error) {
      throw error instanceof Error ? new StorageError(`writing ${this.#path}`, error) : error
    }
  }
}

function decodeState(bytes: Buffer, path: string): Sections {
  const fail = (reason: string): never => {
    throw new CorruptServerStateError(path, reason)
  }
  const found = decodeCheckedJson(format, bytes, fail)
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    return fail('it holds no object')
  }
  return found
}
