/** As many are taken out at least before the others move up. */
const movedMin = 1024

/**
 * First in, first out, however many there are: an array's own `shift` moves all the others, and
 * tens of thousands of small requests can come in one piece.
 */
export class Fifo<T> {
  #items: T[] = []
  #first = 0

  get length(): number {
    return this.#items.length - this.#first
  }

  /** The one that is taken next; null where there is none. */
  get next(): T | null {
    return this.#items[this.#first] ?? null
  }

  add(item: T): void {
    this.#items.push(item)
  }

  /** Takes out the next; null where there is none. */
  take(): T | null {
    const { next } = this
    if (next === null) return null
    this.#first++
    if (this.#first >= movedMin && this.#first * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#first)
      this.#first = 0
    }
    return next
  }

  /** Takes out all. */
  takeAll(): readonly T[] {
    const all = this.#items.slice(this.#first)
    this.#items = []
    this.#first = 0
    return all
  }
}
