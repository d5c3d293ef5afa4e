import type { PayloadRecord } from '../harness/payload.ts'

/**
 * How long groups may follow each other without the event loop having had a turn, in ms: as long
 * as Varve's do. Stores that block would let nobody else have one.
 */
const turnlessMsMax = 5

/**
 * One promise per record over a store that commits groups: whatever is appended while a group is
 * committed is the next one. A program would have to do this for stores that do not.
 *
 * A group is committed when all promise callbacks that are due have run, so that those who were
 * just told append to it again. No turn of the event loop is waited for: at one in flight it would
 * be a part of what the store is said to take.
 */
export class CallerGroups {
  readonly #commit: (group: readonly PayloadRecord[]) => Promise<void> | undefined
  #group: PayloadRecord[] = []
  #waiting: Array<{ readonly resolve: () => void; readonly reject: (error: unknown) => void }> = []
  #isRunning = false
  #turnedMs = performance.now()

  /** `commit` returns nothing when it has blocked until the group was safe. */
  constructor(commit: (group: readonly PayloadRecord[]) => Promise<void> | undefined) {
    this.#commit = commit
  }

  append(record: PayloadRecord): Promise<void> {
    this.#group.push(record)
    if (!this.#isRunning) this.#runSoon()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
  }

  #runSoon(): void {
    this.#isRunning = true
    // Called before anything else but when promise callbacks have run.
    if (performance.now() - this.#turnedMs < turnlessMsMax) {
      process.nextTick(this.#run)
      return
    }
    setImmediate(() => {
      this.#turnedMs = performance.now()
      void this.#run()
    })
  }

  readonly #run = async (): Promise<void> => {
    const [group, waiting] = [this.#group, this.#waiting]
    this.#group = []
    this.#waiting = []
    try {
      const committed = this.#commit(group)
      if (committed !== undefined) {
        await committed
        this.#turnedMs = performance.now()
      }
      for (const { resolve } of waiting) resolve()
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
    if (this.#group.length > 0) this.#runSoon()
    else this.#isRunning = false
  }
}
