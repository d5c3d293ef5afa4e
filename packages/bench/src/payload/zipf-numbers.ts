import type { SeededRandom } from './seeded-random.ts'

/**
 * Numbers from 0 to `range` - 1, of which the n-th is drawn n^exponent times less often than the
 * first. By rejection and inversion (Hörmann and Derflinger, 1996): no table, however large the
 * range, and seldom more than one draw.
 */
export class ZipfNumbers {
  readonly #range: number
  readonly #exponent: number
  readonly #random: SeededRandom
  readonly #first: number
  readonly #last: number
  readonly #sure: number

  /** `exponent` is above 0 and not 1. */
  constructor(range: number, exponent: number, random: SeededRandom) {
    this.#range = range
    this.#exponent = exponent
    this.#random = random
    this.#first = this.#integral(1.5) - 1
    this.#last = this.#integral(range + 0.5)
    this.#sure = 2 - this.#inverse(this.#integral(2.5) - this.#density(2))
  }

  next(): number {
    for (;;) {
      const area = this.#last + this.#random.fraction() * (this.#first - this.#last)
      const place = this.#inverse(area)
      const rank = Math.min(this.#range, Math.max(1, Math.round(place)))
      const isSure = rank - place <= this.#sure
      if (isSure || area >= this.#integral(rank + 0.5) - this.#density(rank)) return rank - 1
    }
  }

  #density(place: number): number {
    return place ** -this.#exponent
  }

  #integral(place: number): number {
    const power = 1 - this.#exponent
    return (place ** power - 1) / power
  }

  #inverse(area: number): number {
    const power = 1 - this.#exponent
    return Math.max(1e-9, 1 + area * power) ** (1 / power)
  }
}
