/** Rounds for each eight bytes of the message, and for each half of the hash. */
const compressionRounds = 2
const finalizationRounds = 4

/**
 * SipHash-2-4 with 128 bits of output (Aumasson and Bernstein): a keyed hash. Without the key
 * nobody can make keys that collide. In 32-bit halves: JavaScript has no fast 64-bit integers.
 */
export class SipHash {
  readonly #key: Uint32Array
  /** The hash of the last {@link hash}, as four uint32 halves, low ones first. */
  readonly words: Uint32Array = new Uint32Array(4)

  /** `key`: 16 bytes. */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, 16)
    this.#key = Uint32Array.from([0, 4, 8, 12], (at) => view.getUint32(at, true))
  }

  /**
   * Hashes the bytes from `start` to `end` into {@link words}. One loop over all rounds, so that
   * the state stays in local variables and the round is written once.
   */
  hash(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    const { words } = this
    const key = this.#key
    let v0l = (key[0] as number) ^ 0x70736575
    let v0h = (key[1] as number) ^ 0x736f6d65
    let v1l = (key[2] as number) ^ 0x6e646f6d ^ 0xee
    let v1h = (key[3] as number) ^ 0x646f7261
    let v2l = (key[0] as number) ^ 0x6e657261
    let v2h = (key[1] as number) ^ 0x6c796765
    let v3l = (key[2] as number) ^ 0x79746573
    let v3h = (key[3] as number) ^ 0x74656462
    const compressing = (((end - start) >>> 3) + 1) * compressionRounds
    let low = 0
    let high = 0
    for (let round = 0, at = start; round < compressing + 2 * finalizationRounds; round++) {
      if (round < compressing) {
        if (round % compressionRounds === 0) {
          v0l ^= low
          v0h ^= high
          low = wordAt(bytes, at, end)
          high = wordAt(bytes, at + 4, end) | (at + 8 > end ? (end - start) << 24 : 0)
          at += 8
          v3l ^= low
          v3h ^= high
        }
      } else if (round === compressing) {
        v0l ^= low
        v0h ^= high
        v2l ^= 0xee
      } else if (round === compressing + finalizationRounds) {
        words[0] = v0l ^ v1l ^ v2l ^ v3l
        words[1] = v0h ^ v1h ^ v2h ^ v3h
        v1l ^= 0xdd
      }
      // v0 += v1; v1 <<<= 13; v1 ^= v0; v0 <<<= 32
      let sum = (v0l >>> 0) + (v1l >>> 0)
      let swap = (v0h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0
      v0h = sum | 0
      v0l = swap
      swap = (v1l << 13) | (v1h >>> 19)
      v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0l
      v1l = swap ^ v0h
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
      swap = (v2h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0
      v2h = sum | 0
      v2l = swap
      swap = (v1l << 17) | (v1h >>> 15)
      v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2l
      v1l = swap ^ v2h
    }
    words[2] = v0l ^ v1l ^ v2l ^ v3l
    words[3] = v0h ^ v1h ^ v2h ^ v3h
  }
}

/** Four bytes, low ones first, with zeros for what lies behind the end. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  return at + 4 <= end ? uint32At(bytes, at) : restAt(bytes, at, end)
}

function uint32At(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

function restAt(bytes: Uint8Array, at: number, end: number): number {
  let value = 0
  for (let index = 0; index < 4 && at + index < end; index++) {
    value |= (bytes[at + index] as number) << (8 * index)
  }
  return value
}
