import { crc32c } from '@varve/record'

/** Pieces up to this size are gathered: a copy costs a fifth of a call of the checksum. */
const smallBytesMax = 1024
const gatheredBytesMax = 64 * 1024

/**
 * A checksum over everything that was written or read, so that no work can be left out or be wrong
 * unseen. CRC-32C, because it is quick; nobody here is an adversary. Where one piece ends and the
 * next begins does not count.
 */
export class ResultHash {
  #crc = 0
  /** What the checksum has still to be told. */
  #gathered: Buffer | null = null
  #gatheredBytes = 0

  add(bytes: Uint8Array): this {
    if (bytes.length > smallBytesMax) {
      this.#tell()
      this.#crc = crc32c(bytes, this.#crc)
      return this
    }
    if (this.#gatheredBytes + bytes.length > gatheredBytesMax) this.#tell()
    this.#gathered ??= Buffer.allocUnsafeSlow(gatheredBytesMax)
    this.#gathered.set(bytes, this.#gatheredBytes)
    this.#gatheredBytes += bytes.length
    return this
  }

  get value(): string {
    this.#tell()
    return this.#crc.toString(16).padStart(8, '0')
  }

  #tell(): void {
    if (this.#gathered === null || this.#gatheredBytes === 0) return
    this.#crc = crc32c(this.#gathered.subarray(0, this.#gatheredBytes), this.#crc)
    this.#gatheredBytes = 0
  }
}

export function hashOf(...parts: readonly Uint8Array[]): string {
  const hash = new ResultHash()
  for (const part of parts) hash.add(part)
  return hash.value
}

/** Of numbers that sum up what was read. */
export function hashOfNumbers(...numbers: readonly number[]): string {
  return hashOfTexts(numbers.join(' '))
}

/** Of hashes of parts, or whatever else is said in ASCII. */
export function hashOfTexts(...texts: readonly string[]): string {
  return hashOf(Buffer.from(texts.join(' '), 'latin1'))
}
