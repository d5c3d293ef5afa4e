import { type Channel, channel } from 'node:diagnostics_channel'

// What the broker tells whoever listens, on `node:diagnostics_channel`, beside what the engine
// tells. Once per read or decision, never per record; one check where nobody has subscribed.

/** A consumer has read batches. */
export interface ReadEvent {
  readonly topic: string
  readonly partition: number
  readonly records: number
  /** Of the batches, as they are stored. */
  readonly sizeBytes: number
}

/** The channels by event: `diagnostics_channel.subscribe(brokerChannels.read.name, …)`. */
export const brokerChannels: {
  readonly read: Channel<unknown, ReadEvent>
} = {
  read: channel('varve:broker:read') as Channel<unknown, ReadEvent>,
}
