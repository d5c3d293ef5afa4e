/**
 * SipHash-2-4 with 128 bits of output (Aumasson and Bernstein): a keyed hash. Without the key
 * nobody can make keys that collide. In 32-bit halves: JavaScript has no fast 64-bit integers.
 */
export class SipHash {
  readonly #key: Uint32Array
  /** The hash of the last {@link hash}, as four uint32 halves, low ones first. */
  readonly words: Uint32Array = new Uint32Array(4)
  // The state, as signed halves.
  #v0l = 0
  #v0h = 0
  #v1l = 0
  #v1h = 0
  #v2l = 0
  #v2h = 0
  #v3l = 0
  #v3h = 0

  /** `key`: 16 bytes. */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, 16)
    this.#key = Uint32Array.from([0, 4, 8, 12], (at) => view.getUint32(at, true))
  }

  /** Hashes bytes into {@link words}. */
  hash(bytes: Uint8Array): void {
    this.#begin()
    const length = bytes.length
    const wholeEnd = length - (length % 8)
    let at = 0
    for (; at < wholeEnd; at += 8) this.#compress(uint32At(bytes, at), uint32At(bytes, at + 4))
    let low = 0
    let high = length << 24
    for (let index = 0; index < length - at && index < 4; index++) {
      low |= (bytes[at + index] as number) << (8 * index)
    }
    for (let index = 4; index < length - at; index++) {
      high |= (bytes[at + index] as number) << (8 * (index - 4))
    }
    this.#compress(low, high)
    this.#finish()
  }

  #begin(): void {
    const [k0l = 0, k0h = 0, k1l = 0, k1h = 0] = this.#key
    this.#v0l = k0l ^ 0x70736575
    this.#v0h = k0h ^ 0x736f6d65
    this.#v1l = k1l ^ 0x6e646f6d ^ 0xee
    this.#v1h = k1h ^ 0x646f7261
    this.#v2l = k0l ^ 0x6e657261
    this.#v2h = k0h ^ 0x6c796765
    this.#v3l = k1l ^ 0x79746573
    this.#v3h = k1h ^ 0x74656462
  }

  #compress(low: number, high: number): void {
    this.#v3l ^= low
    this.#v3h ^= high
    this.#rounds(2)
    this.#v0l ^= low
    this.#v0h ^= high
  }

  #finish(): void {
    const { words } = this
    this.#v2l ^= 0xee
    this.#rounds(4)
    words[0] = this.#v0l ^ this.#v1l ^ this.#v2l ^ this.#v3l
    words[1] = this.#v0h ^ this.#v1h ^ this.#v2h ^ this.#v3h
    this.#v1l ^= 0xdd
    this.#rounds(4)
    words[2] = this.#v0l ^ this.#v1l ^ this.#v2l ^ this.#v3l
    words[3] = this.#v0h ^ this.#v1h ^ this.#v2h ^ this.#v3h
  }

  /** In locals: fields would be read and written at every step. */
  #rounds(count: number): void {
    let v0l = this.#v0l
    let v0h = this.#v0h
    let v1l = this.#v1l
    let v1h = this.#v1h
    let v2l = this.#v2l
    let v2h = this.#v2h
    let v3l = this.#v3l
    let v3h = this.#v3h
    let swap = 0
    for (let round = 0; round < count; round++) {
      // v0 += v1; v1 <<<= 13; v1 ^= v0; v0 <<<= 32
      let sum = (v0l >>> 0) + (v1l >>> 0)
      v0h = (v0h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0
      v0l = sum | 0
      swap = (v1l << 13) | (v1h >>> 19)
      v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h
      v1l = swap ^ v0l
      swap = v0l
      v0l = v0h
      v0h = swap
      // v2 += v3; v3 <<<= 16; v3 ^= v2
      sum = (v2l >>> 0) + (v3l >>> 0)
      v2h = (v2h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0
      v2l = sum | 0
      swap = (v3l << 16) | (v3h >>> 16)
      v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h
      v3l = swap ^ v2l
      // v0 += v3; v3 <<<= 21; v3 ^= v0
      sum = (v0l >>> 0) + (v3l >>> 0)
      v0h = (v0h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0
      v0l = sum | 0
      swap = (v3l << 21) | (v3h >>> 11)
      v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h
      v3l = swap ^ v0l
      // v2 += v1; v1 <<<= 17; v1 ^= v2; v2 <<<= 32
      sum = (v2l >>> 0) + (v1l >>> 0)
      v2h = (v2h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0
      v2l = sum | 0
      swap = (v1l << 17) | (v1h >>> 15)
      v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h
      v1l = swap ^ v2l
      swap = v2l
      v2l = v2h
      v2h = swap
    }
    this.#v0l = v0l
    this.#v0h = v0h
    this.#v1l = v1l
    this.#v1h = v1h
    this.#v2l = v2l
    this.#v2h = v2h
    this.#v3l = v3l
    this.#v3h = v3h
  }
}

function uint32At(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}
