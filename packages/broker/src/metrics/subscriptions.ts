import { type Channel, subscribe, unsubscribe } from 'node:diagnostics_channel'

/** Listeners of diagnostics channels that end together. */
export class Subscriptions {
  readonly #ends: Array<() => void> = []

  /** `listener` must not throw: what it throws becomes an uncaught exception of the process. */
  add<Event>({ name }: Channel<unknown, Event>, listener: (event: Event) => void): void {
    const listen = (event: unknown): void => listener(event as Event)
    subscribe(name, listen)
    this.#ends.push(() => unsubscribe(name, listen))
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end()
  }
}
