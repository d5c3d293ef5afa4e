import { ClosedError } from '@varve/broker'

/**
 * Requests that wait for other members, and are answered at once when the server stops: members
 * that come again find it back, or another.
 */
export class ParkedRequests {
  readonly #stopping: AbortSignal
  /** One listener at the signal for all of them. */
  readonly #refusals = new Set<() => void>()

  constructor(stopping: AbortSignal) {
    this.#stopping = stopping
    stopping.addEventListener('abort', () => {
      for (const refuse of [...this.#refusals]) refuse()
    })
  }

  /** What is waited for; rejects with ClosedError when the server stops before. */
  park<T>(waiting: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const refuse = (): void => reject(new ClosedError('the server'))
      if (this.#stopping.aborted) refuse()
      else this.#refusals.add(refuse)
      waiting.then(resolve, reject).finally(() => this.#refusals.delete(refuse))
    })
  }
}
