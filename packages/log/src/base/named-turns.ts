/**
 * What concerns one name happens one after the other, in the order of the calls; what concerns
 * different names does not wait for each other.
 */
export class NamedTurns {
  /** What was asked for last, of each name for which something is under way. Never rejects. */
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs an action when all earlier ones of that name are done, however they ended. */
  run<Result>(name: string, action: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(name)
    const result = before === undefined ? action() : before.then(action)
    const ended = result.then(ignore, ignore).then(() => {
      if (this.#last.get(name) === ended) this.#last.delete(name)
    })
    this.#last.set(name, ended)
    return result
  }

  /** Resolves when everything that has been asked for is done. */
  async settled(): Promise<void> {
    await Promise.all(this.#last.values())
  }
}

function ignore(): void {
  // Whoever asked for it is told.
}
