import { InvalidArgumentError } from '@varve/record'
import { SeededRandom } from './seeded-random.ts'
import { ZipfNumbers } from './zipf-numbers.ts'

/**
 * Whose keys records have: `none`, one after the other (`sequential`), each as often as any other
 * (`uniform`), or few of them most of the time (`zipf`, with the exponent 0.99 of YCSB).
 */
export type KeyDistribution = 'none' | 'sequential' | 'uniform' | 'zipf'

export interface KeyOptions {
  readonly distribution: KeyDistribution
  /** How many different keys there are. */
  readonly range: number
  readonly seed: number
}

/** The key of the next record; null without keys. */
export type NextKey = () => Buffer | null

const zipfExponent = 0.99
/** Keys that are kept, so that a run does not measure how they are made. */
const keptKeysMax = 65_536

/** The same keys for the same options. Throws InvalidArgumentError. */
export function keysOf({ distribution, range, seed }: KeyOptions): NextKey {
  if (!Number.isSafeInteger(range) || range < 1) {
    throw new InvalidArgumentError('keyRange', range, 'must be an integer of 1 or more')
  }
  if (distribution === 'none') return () => null
  const next = numbersOf(distribution, range, new SeededRandom(seed))
  const digits = String(range - 1).length
  const kept = new Map<number, Buffer>()
  return () => {
    const number = next()
    const known = kept.get(number)
    if (known !== undefined) return known
    const key = Buffer.from(`key-${String(number).padStart(digits, '0')}`, 'latin1')
    if (kept.size < keptKeysMax) kept.set(number, key)
    return key
  }
}

/** Numbers from 0 to `range` - 1. */
function numbersOf(
  distribution: Exclude<KeyDistribution, 'none'>,
  range: number,
  random: SeededRandom,
): () => number {
  if (distribution === 'uniform') return () => random.integer(range)
  if (distribution === 'zipf') {
    const numbers = new ZipfNumbers(range, zipfExponent, random)
    return () => numbers.next()
  }
  let last = -1
  return () => {
    last = last + 1 === range ? 0 : last + 1
    return last
  }
}
