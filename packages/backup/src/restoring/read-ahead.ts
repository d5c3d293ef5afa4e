import assert from 'node:assert/strict'

/** How many things may be in memory at once, whoever reads them. */
export class ReadSlots {
  readonly #waiting: Array<() => void> = []
  #free: number

  constructor(count: number) {
    this.#free = count
  }

  /** Whether there was one; nobody is overtaken who waits. */
  tryTake(): boolean {
    if (this.#free === 0 || this.#waiting.length > 0) return false
    this.#free--
    return true
  }

  async take(): Promise<void> {
    if (this.tryTake()) return
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}

/** Something that is lent: a slot is taken until it is released. */
export interface Lent {
  release(): void
}

interface Begun<Item, Content> {
  readonly item: Item
  readonly content: Promise<Content>
}

/**
 * Reads what is asked for in a known order before it is asked for, as far as there are slots.
 * Readers that share slots never wait for each other's items, so that none waits for ever.
 */
export class ReadAhead<Item, Content extends Lent> {
  readonly #slots: ReadSlots
  readonly #read: (item: Item) => Promise<Content>
  /** In order. */
  readonly #planned: Set<Item>
  readonly #begun: Array<Begun<Item, Content>> = []

  constructor(slots: ReadSlots, items: readonly Item[], read: (item: Item) => Promise<Content>) {
    this.#slots = slots
    this.#planned = new Set(items)
    this.#read = read
  }

  /** Whether it is still to come. */
  has(item: Item): boolean {
    return this.#begun.some((begun) => begun.item === item) || this.#planned.has(item)
  }

  /** The next item, or a later one: those between are left out. The caller releases it. */
  async take(item: Item): Promise<Content> {
    assert(this.has(item), 'what is asked for was planned')
    while (this.#begun.length > 0 && this.#begun[0]?.item !== item) this.#dropFirst()
    if (this.#begun.length === 0) {
      for (const planned of this.#planned) {
        if (planned === item) break
        this.#planned.delete(planned)
      }
      await this.#slots.take()
      // What was left out may have been given back meanwhile, and begun this one.
      if (this.#begun.length === 0) this.#begin()
      else this.#slots.release()
    }
    this.#fill()
    const content = this.#begun.shift()?.content
    assert(content !== undefined, 'it was begun')
    try {
      const lent = await content
      return this.#returning(lent)
    } catch (error) {
      this.#slots.release()
      throw error
    }
  }

  /** Nothing more is asked for. Resolves when nothing is being read any more. */
  async close(): Promise<void> {
    this.#planned.clear()
    const underWay = this.#begun.map(({ content }) => content)
    while (this.#begun.length > 0) this.#dropFirst()
    await Promise.allSettled(underWay)
  }

  #fill(): void {
    while (this.#planned.size > 0 && this.#slots.tryTake()) this.#begin()
  }

  #begin(): void {
    const { done, value: item } = this.#planned.values().next()
    assert(done !== true, 'there is one more')
    this.#planned.delete(item)
    const content = this.#read(item)
    // When nobody comes for it, its failure is nobody's.
    content.catch(() => undefined)
    this.#begun.push({ item, content })
  }

  #dropFirst(): void {
    const begun = this.#begun.shift()
    begun?.content.then(
      (lent) => this.#returning(lent).release(),
      () => this.#slots.release(),
    )
  }

  #returning(lent: Content): Content {
    const release = (): void => {
      lent.release()
      this.#slots.release()
      this.#fill()
    }
    return { ...lent, release }
  }
}
