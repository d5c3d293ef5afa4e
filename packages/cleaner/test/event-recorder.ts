import { subscribe, unsubscribe } from 'node:diagnostics_channel'

/** What is published on a channel until it is disposed of. */
export class EventRecorder<Event> implements Disposable {
  readonly events: Event[] = []
  readonly #name: string | symbol
  readonly #listen = (event: unknown): void => void this.events.push(event as Event)

  constructor(channel: { readonly name: string | symbol }) {
    this.#name = channel.name
    subscribe(this.#name, this.#listen)
  }

  [Symbol.dispose](): void {
    unsubscribe(this.#name, this.#listen)
  }
}
