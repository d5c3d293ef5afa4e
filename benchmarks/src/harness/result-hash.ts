import { crc32c } from '@varve/record'

/**
 * A checksum over everything that was written or read, so that no work can be left out or be wrong
 * unseen. CRC-32C, because it is quick; nobody here is an adversary.
 */
export class ResultHash {
  #crc = 0

  add(bytes: Uint8Array): this {
    this.#crc = crc32c(bytes, this.#crc)
    return this
  }

  get value(): string {
    return this.#crc.toString(16).padStart(8, '0')
  }
}

export function hashOf(...parts: readonly Uint8Array[]): string {
  const hash = new ResultHash()
  for (const part of parts) hash.add(part)
  return hash.value
}

/** Of numbers that sum up what was read. */
export function hashOfNumbers(...numbers: readonly number[]): string {
  return hashOf(Buffer.from(numbers.join(' '), 'latin1'))
}
