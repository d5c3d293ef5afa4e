/**
 * Random numbers for the fuzzer: SplitMix32, whole state one uint32, so that any single input can
 * be made again from its seed alone.
 */
export class FuzzRandom {
  #state: number

  constructor(seed: number) {
    this.#state = mix(seed | 0)
  }

  /** A uint32. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    return mix(this.#state)
  }

  /** 0 … max-1. */
  int(max: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * max)
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.int(times) === 0
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(choices.length)] as T
  }

  /** Mostly small, now and then up to `max`-1: sizes of things. */
  size(max: number): number {
    return this.int(1 + this.int(1 + this.int(max)))
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count)
    for (let at = 0; at < count; at++) bytes[at] = this.next()
    return bytes
  }
}

/** Murmur3's finaliser: every bit of the input changes every bit of the output. */
function mix(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
