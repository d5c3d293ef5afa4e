/** A binary heap: the smallest element first, by a comparison of the caller's. */
export class Heap<T> {
  readonly #items: T[] = []
  readonly #isBefore: (left: T, right: T) => boolean

  constructor(isBefore: (left: T, right: T) => boolean) {
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = items[parent] as T
      if (!this.#isBefore(item, above)) break
      items[at] = above
      at = parent
    }
    items[at] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      const right = child + 1
      if (right < items.length && this.#isBefore(items[right] as T, items[child] as T)) {
        child = right
      }
      if (!this.#isBefore(items[child] as T, last)) break
      items[at] = items[child] as T
      at = child
    }
    items[at] = last
    return first
  }
}
