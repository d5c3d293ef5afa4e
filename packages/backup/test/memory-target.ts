import type { Clock } from '@varve/log'
import type { PutOptions, StoredFile, Target } from '../src/target/target.ts'

interface MemoryFile {
  readonly bytes: Buffer
  readonly modifiedMs: number
}

/** A store in memory that stamps files with a clock of the test's, and can fail at any call. */
export class MemoryTarget implements Target {
  readonly name = 'memory'
  readonly isCreateOnlyAtomic = true
  readonly files: Map<string, MemoryFile> = new Map()
  readonly #clock: Clock
  /** Called before each call; what it throws the call rejects with. */
  onCall: (call: string, key: string) => void | Promise<void> = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async put(key: string, bytes: Uint8Array, { mode = 'new' }: PutOptions = {}): Promise<boolean> {
    await this.onCall('put', key)
    if (mode === 'new' && this.files.has(key)) return false
    this.files.set(key, { bytes: Buffer.from(bytes), modifiedMs: this.#clock.now() })
    return true
  }

  async get(key: string): Promise<Buffer | null> {
    await this.onCall('get', key)
    const file = this.files.get(key)
    return file === undefined ? null : Buffer.from(file.bytes)
  }

  async stat(key: string): Promise<StoredFile | null> {
    await this.onCall('stat', key)
    const file = this.files.get(key)
    if (file === undefined) return null
    return { key, sizeBytes: file.bytes.length, modifiedMs: file.modifiedMs }
  }

  async *list(prefix: string): AsyncIterable<StoredFile> {
    await this.onCall('list', prefix)
    const keys = [...this.files.keys()].filter((key) => key.startsWith(prefix)).sort()
    for (const key of keys) {
      const file = this.files.get(key)
      if (file === undefined) continue
      yield { key, sizeBytes: file.bytes.length, modifiedMs: file.modifiedMs }
    }
  }

  async remove(key: string): Promise<void> {
    await this.onCall('remove', key)
    this.files.delete(key)
  }

  async close(): Promise<void> {}
}
