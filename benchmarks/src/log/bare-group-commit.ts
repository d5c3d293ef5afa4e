import { closeSync, fdatasync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { crc32c } from '@varve/record'
import { ResultHash } from '../harness/result-hash.ts'

/** Before a group: its size and its CRC-32C, four bytes each. */
const groupHeaderBytes = 8
const bufferBytes = 16 * 2 ** 20

/**
 * Group commit with nothing around it, the limit for durable appends with one promise each: copy
 * the record, and once for all that came together checksum, write, fdatasync (in the thread pool,
 * or with the event loop standing still), resolve. No offsets for readers, no indexes, no recovery,
 * no errors to speak of.
 */
export class BareGroupCommit {
  readonly #descriptor: number
  readonly #flushOn: 'pool' | 'loop'
  readonly #buffer = Buffer.alloc(bufferBytes)
  #end = groupHeaderBytes
  #position = 0
  #waiting: Array<(position: number) => void> = []
  #isRunning = false

  constructor(path: string, flushOn: 'pool' | 'loop' = 'pool') {
    this.#flushOn = flushOn
    this.#descriptor = openSync(path, 'wx')
  }

  /** Resolves to the position of its group once it is durable. */
  append(record: Uint8Array): Promise<number> {
    this.#buffer.set(record, this.#end)
    this.#end += record.length
    if (!this.#isRunning) {
      this.#isRunning = true
      process.nextTick(this.#commit)
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  readonly #commit = (): void => {
    const group = this.#buffer.subarray(0, this.#end)
    group.writeUInt32LE(this.#end - groupHeaderBytes, 0)
    group.writeUInt32LE(crc32c(group.subarray(groupHeaderBytes)), 4)
    writeSync(this.#descriptor, group, 0, group.length, this.#position)
    const position = this.#position
    const waiting = this.#waiting
    this.#position += this.#end
    this.#end = groupHeaderBytes
    this.#waiting = []
    const finish = (error: Error | null): void => {
      if (error !== null) throw error
      for (const resolve of waiting) resolve(position)
      if (this.#waiting.length > 0) this.#commit()
      else this.#isRunning = false
    }
    if (this.#flushOn === 'pool') {
      fdatasync(this.#descriptor, finish)
      return
    }
    fdatasyncSync(this.#descriptor)
    finish(null)
  }
}

/** Over the records of a file that BareGroupCommit wrote. */
export function bareContentHash(path: string): string {
  const bytes = readFileSync(path)
  const hash = new ResultHash()
  for (let at = 0; at < bytes.length; ) {
    const end = at + groupHeaderBytes + bytes.readUInt32LE(at)
    const group = bytes.subarray(at + groupHeaderBytes, end)
    if (crc32c(group) !== bytes.readUInt32LE(at + 4)) throw new Error(`bad group at ${at}`)
    hash.add(group)
    at = end
  }
  return hash.value
}
