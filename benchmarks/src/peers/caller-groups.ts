import type { PayloadRecord } from '../harness/payload.ts'

/**
 * One promise per record over a store that commits groups: whatever is appended while a group is
 * committed is the next one. A program would have to do this for stores that do not.
 */
export class CallerGroups {
  readonly #commit: (group: readonly PayloadRecord[]) => Promise<void> | undefined
  #group: PayloadRecord[] = []
  #waiting: Array<{ readonly resolve: () => void; readonly reject: (error: unknown) => void }> = []
  #isRunning = false

  /** `commit` returns nothing when it has blocked until the group was safe. */
  constructor(commit: (group: readonly PayloadRecord[]) => Promise<void> | undefined) {
    this.#commit = commit
  }

  append(record: PayloadRecord): Promise<void> {
    this.#group.push(record)
    if (!this.#isRunning) {
      this.#isRunning = true
      setImmediate(this.#run)
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
  }

  readonly #run = async (): Promise<void> => {
    const [group, waiting] = [this.#group, this.#waiting]
    this.#group = []
    this.#waiting = []
    try {
      const committed = this.#commit(group)
      if (committed !== undefined) await committed
      for (const { resolve } of waiting) resolve()
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
    // Whoever was just told appends again before the next group is made.
    setImmediate(() => {
      if (this.#group.length > 0) void this.#run()
      else this.#isRunning = false
    })
  }
}
