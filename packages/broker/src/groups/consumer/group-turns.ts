/** Lets what is done to a group be done one after the other; to other groups meanwhile. */
export class GroupTurns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Begins at once where nothing is being done to the group. */
  take<T>(group: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(group)
    const working = before === undefined ? work() : before.then(work)
    const done = working.then(
      () => undefined,
      () => undefined,
    )
    this.#last.set(group, done)
    void done.then(() => {
      if (this.#last.get(group) === done) this.#last.delete(group)
    })
    return working
  }

  /** Whether something is being done to the group. */
  isTaken(group: string): boolean {
    return this.#last.has(group)
  }

  async end(): Promise<void> {
    await Promise.all(this.#last.values())
  }
}
