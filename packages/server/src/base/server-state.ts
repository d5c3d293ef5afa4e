import { type FileSystem, StorageError } from '@varve/log'
import { readSmallFile, replaceSmallFile } from '@varve/log/files'
import { crc32c } from '@varve/record'
import { CorruptServerStateError, RequestRefusedError } from './server-errors.ts'

/** In the data directory, beside the catalogue of topics. */
export const serverStateFileName = 'varve-server'

/** Parts of the state belong to different owners, who check what they read. */
export type StateSection = 'clusterId' | 'users' | 'acls' | 'quotas' | 'brokerSettings'

type Sections = Readonly<Partial<Record<StateSection, unknown>>>

// Big-endian: magic 'VSRV', int32 version, uint32 length, the text (JSON in UTF-8), uint32 CRC-32C
// of everything before.
const magic = 0x56535256
const version = 1
const textAt = 12
const crcBytes = 4
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
    const bytes = encodeState(sections)
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

function encodeState(sections: Sections): Buffer {
  const text = Buffer.from(JSON.stringify(sections), 'utf8')
  const bytes = Buffer.alloc(textAt + text.length + crcBytes)
  bytes.writeUInt32BE(magic, 0)
  bytes.writeInt32BE(version, 4)
  bytes.writeUInt32BE(text.length, 8)
  text.copy(bytes, textAt)
  const crcAt = textAt + text.length
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, crcAt)), crcAt)
  return bytes
}

function decodeState(bytes: Buffer, path: string): Sections {
  const fail = (reason: string): never => {
    throw new CorruptServerStateError(path, reason)
  }
  if (bytes.length < textAt + crcBytes) return fail(`it has ${bytes.length} bytes`)
  if (bytes.readUInt32BE(0) !== magic) return fail('it does not begin with VSRV')
  const crcAt = bytes.length - crcBytes
  if (bytes.readUInt32BE(crcAt) !== crc32c(bytes.subarray(0, crcAt))) {
    return fail('its checksum does not match')
  }
  const found = bytes.readInt32BE(4)
  if (found !== version) return fail(`its version is ${found}, known is ${version}`)
  if (bytes.readUInt32BE(8) !== crcAt - textAt) return fail('its length is not what it says')
  return parseSections(bytes.toString('utf8', textAt, crcAt), fail)
}

function parseSections(text: string, fail: (reason: string) => never): Sections {
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    return fail('it holds no object')
  }
  return found
}
