import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'

/**
 * A small seeded generator of random numbers (SplitMix32): the same seed gives the same numbers on
 * every machine. Its whole state is one uint32, so a run can be replayed from any point. Not for
 * secrets.
 */
export class Random {
  /** uint32; may be kept and put back. */
  state: number

  constructor(seed: number) {
    // Mixed once, so that neighbouring seeds do not give neighbouring streams.
    this.state = mix(seed | 0)
  }

  /** A uint32. */
  next(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0
    return mix(this.state)
  }

  /** 0 … max-1. */
  int(max: number): number {
    assert(Number.isSafeInteger(max) && max > 0, 'a random integer needs a positive bound')
    if (max <= 0x1_0000_0000) return Math.floor((this.next() / 0x1_0000_0000) * max)
    return Math.floor(this.fraction() * max)
  }

  /** min … max, both included. */
  between(min: number, max: number): number {
    return min + this.int(max - min + 1)
  }

  /** 0 ≤ x < 1, with 53 random bits. */
  fraction(): number {
    return ((this.next() >>> 5) * 0x4000000 + (this.next() >>> 6)) / 0x20_0000_0000_0000
  }

  /** True with this probability. */
  bool(probability = 0.5): boolean {
    return this.next() < probability * 0x1_0000_0000
  }

  pick<T>(choices: readonly T[]): T {
    assert(choices.length > 0, 'there must be something to pick from')
    return choices[this.int(choices.length)] as T
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count)
    const wholeEnd = count - (count % 4)
    for (let at = 0; at < wholeEnd; at += 4) bytes.writeUInt32LE(this.next(), at)
    for (let at = wholeEnd; at < count; at += 1) bytes[at] = this.next() & 0xff
    return bytes
  }

  /** A new array with the same elements in another order. */
  shuffle<T>(elements: readonly T[]): T[] {
    const shuffled = [...elements]
    for (let end = shuffled.length - 1; end > 0; end -= 1) {
      const other = this.int(end + 1)
      const kept = shuffled[end] as T
      shuffled[end] = shuffled[other] as T
      shuffled[other] = kept
    }
    return shuffled
  }

  /** Another generator, whose numbers do not depend on how many this one hands out later. */
  fork(): Random {
    return new Random(this.next())
  }
}

/**
 * The seed of a random test: `VARVE_SEED` where that is set, else drawn. It is printed when drawn,
 * so that a failing run can be repeated.
 *
 * @param name what to print the seed for, usually the test's name
 */
export function seedFromEnvironment(name: string): number {
  const given = process.env['VARVE_SEED']
  if (given !== undefined && given !== '') {
    const seed = Number(given)
    if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return seed
    throw new RangeError(`VARVE_SEED is '${given}': it must be an integer from 0 to 2^32-1`)
  }
  const seed = randomInt(2 ** 32)
  process.stdout.write(`${name}: VARVE_SEED=${seed}\n`)
  return seed
}

/** Murmur3's finaliser: every bit of the input changes every bit of the output. */
function mix(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
