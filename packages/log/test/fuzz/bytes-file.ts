import type { File } from '../../src/storage/file-system.ts'

/** Bytes as an open file that is only read. */
export class BytesFile implements File {
  readonly path = '/bytes'
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  sizeBytes(): number {
    return this.#bytes.length
  }

  readSync(target: Uint8Array, position: number): number {
    return this.#bytes.copy(target, 0, Math.min(position, this.#bytes.length))
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    return this.readSync(target, position)
  }

  writeSync(): number {
    throw new Error('nothing is written')
  }

  async write(): Promise<number> {
    throw new Error('nothing is written')
  }

  async datasync(): Promise<void> {
    throw new Error('nothing is flushed')
  }

  datasyncSync(): void {
    throw new Error('nothing is flushed')
  }

  truncate(): void {
    throw new Error('nothing is cut')
  }

  close(): void {
    // Nothing is held.
  }
}
