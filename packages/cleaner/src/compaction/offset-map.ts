import type { Offset } from '@varve/record'
import { SipHash } from './sip-hash.ts'

/** Four words of hash, one of offset. */
const slotWords = 5
const slotBytes: number = slotWords * 4

/** Share of slots in use at which the map is full: 20 / 0.85 = 23.5 bytes per key. */
const loadFactor = 0.85

/** An offset is kept as its distance from the first one, plus 1, in a word where 0 means empty. */
const distanceMax = 2 ** 32 - 2

export interface OffsetMapOptions {
  /** The most that it may take, in bytes; a slot of 20 bytes is the least. */
  readonly memoryBytes: number
  /** The smallest offset that will be put. */
  readonly firstOffset: Offset
  /** More keys than this will not come: the map takes no more memory than they need. */
  readonly keysMax?: number
  /** 16 random bytes, so that nobody can prepare keys that collide. */
  readonly seed: Uint8Array
}

/**
 * The newest offset of every key, in bounded memory: what Kafka's SkimpyOffsetMap is for. A key is
 * known by 128 bits of a keyed hash alone. Two of n keys have the same with a probability of less
 * than n² / 2^129: for 2^30 keys in one map, 2^-69.
 *
 * Open addressing with linear probing. Full at 23.5 bytes per key; nothing is ever removed.
 */
export class OffsetMap {
  readonly #hash: SipHash
  readonly #slots: Uint32Array
  readonly #slotCount: number
  readonly #firstOffset: Offset
  /** Keys that fit. */
  readonly capacity: number
  #size = 0

  constructor({ memoryBytes, firstOffset, keysMax = Infinity, seed }: OffsetMapOptions) {
    const needed = Math.ceil(keysMax / loadFactor) + 1
    this.#slotCount = Math.max(2, Math.min(Math.floor(memoryBytes / slotBytes), needed))
    this.#slots = new Uint32Array(this.#slotCount * slotWords)
    this.capacity = Math.max(1, Math.floor(this.#slotCount * loadFactor))
    this.#firstOffset = firstOffset
    this.#hash = new SipHash(seed)
  }

  /** Keys in it. */
  get size(): number {
    return this.#size
  }

  get memoryBytes(): number {
    return this.#slots.byteLength
  }

  /**
   * Notes that a key has been seen at an offset, which is greater than those before. False, and
   * nothing is noted, when there is no room for the key or the offset is too far from the first.
   * The key is `key` from `start` to `end`, so that nobody has to make a view of it.
   */
  put(key: Uint8Array, offset: Offset, start = 0, end: number = key.length): boolean {
    const distance = offset - this.#firstOffset
    if (distance > distanceMax) return false
    const slots = this.#slots
    const at = this.#find(key, start, end)
    if (slots[at + 4] === 0) {
      if (this.#size === this.capacity) return false
      const { words } = this.#hash
      slots[at] = words[0] as number
      slots[at + 1] = words[1] as number
      slots[at + 2] = words[2] as number
      slots[at + 3] = words[3] as number
      this.#size += 1
    }
    slots[at + 4] = distance + 1
    return true
  }

  /** The newest offset of a key; -1 when it is not in the map. */
  get(key: Uint8Array, start = 0, end: number = key.length): Offset {
    const found = this.#slots[this.#find(key, start, end) + 4] as number
    return found === 0 ? -1 : this.#firstOffset + found - 1
  }

  /** Where the slot of a key, or the empty one in which it belongs, begins. */
  #find(key: Uint8Array, start: number, end: number): number {
    const slots = this.#slots
    this.#hash.hash(key, start, end)
    const { words } = this.#hash
    const a = words[0] as number
    const b = words[1] as number
    const c = words[2] as number
    const d = words[3] as number
    let slot = Math.floor((a / 0x1_0000_0000) * this.#slotCount)
    for (;;) {
      const at = slot * slotWords
      if (slots[at + 4] === 0) return at
      if (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c && slots[at + 3] === d) {
        return at
      }
      slot += 1
      if (slot === this.#slotCount) slot = 0
    }
  }
}
