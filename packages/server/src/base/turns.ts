import type { Clock } from '@varve/log'

/**
 * A request keeps the event loop for so long at a time, in ms: others are served meanwhile, and
 * what clients may ask for at once is large.
 */
export const turnMsMax = 10
/** The time is looked at after so many steps. */
const stepsPerLook = 8
/** And it gives way after so many: what becomes of steps that wait takes time, too. */
const stepsPerTurn = 128

/** The turns in which one request is answered that has much to be done. */
export class Turns {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #giveWay: () => Promise<void>
  #begunMs: number
  #steps = 0
  #pause: Promise<void> | null = null

  /**
   * @param giveWay lets others have their turn, and resolves when it is this one's again; rejects
   * where nobody waits for the answer any more
   */
  constructor(clock: Pick<Clock, 'monotonic'>, giveWay: () => Promise<void>) {
    this.#clock = clock
    this.#giveWay = giveWay
    this.#begunMs = clock.monotonic()
  }

  /** Before a step: what has to be waited for first; mostly there is nothing. */
  next(): Promise<void> | undefined {
    if (this.#pause !== null) return this.#pause
    if (++this.#steps % stepsPerLook !== 0 || !this.#isOver) return undefined
    this.#pause = this.#giveWay().then(() => {
      this.#pause = null
      this.#steps = 0
      this.#begunMs = this.#clock.monotonic()
    })
    return this.#pause
  }

  /** Takes the steps in turns; a promise where one is not enough. */
  each<Item>(items: readonly Item[], step: (item: Item) => void): Promise<void> | undefined {
    for (let index = 0; index < items.length; index++) {
      const pause = this.next()
      if (pause !== undefined) return this.#eachAfter(pause, items.slice(index), step)
      step(items[index] as Item)
    }
    return undefined
  }

  async #eachAfter<Item>(
    pause: Promise<void>,
    items: readonly Item[],
    step: (item: Item) => void,
  ): Promise<void> {
    await pause
    for (const item of items) {
      const next = this.next()
      if (next !== undefined) await next
      step(item)
    }
  }

  get #isOver(): boolean {
    if (this.#steps >= stepsPerTurn) return true
    return this.#clock.monotonic() - this.#begunMs >= turnMsMax
  }

  /**
   * What becomes of each: the steps are begun in order, in turns, the first at once; where they
   * take time, they take it together.
   */
  async map<Item, Result>(
    items: readonly Item[],
    step: (item: Item, index: number) => Result | Promise<Result>,
  ): Promise<Result[]> {
    const results: (Result | Promise<Result>)[] = []
    let isAnyLate = false
    for (let index = 0; index < items.length; index++) {
      const pause = this.next()
      if (pause !== undefined) await pause
      const result = step(items[index] as Item, index)
      results.push(result)
      if (!(result instanceof Promise)) continue
      isAnyLate = true
      // It is waited for in the end; whatever happens until then has been heard.
      result.catch(() => undefined)
    }
    return isAnyLate ? Promise.all(results) : (results as Result[])
  }
}
