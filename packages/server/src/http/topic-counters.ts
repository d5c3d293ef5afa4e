import { type Channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type AppendEvent, logChannels, type WriteEvent } from '@varve/log'
import { parsePartitionDirectoryName } from '@varve/log/files'

/** Records and bytes that have come to a topic. */
interface TopicCount {
  records: number
  bytes: number
}

/**
 * Counts what is appended to topics from now on, whoever appends it: clients, and the program that
 * serves. Of the data directories of the process all that have a topic of the name.
 */
export class TopicCounters {
  readonly topics: Map<string, TopicCount> = new Map()
  readonly #ends: readonly (() => void)[]

  constructor() {
    this.#ends = [
      listen<AppendEvent>(logChannels.append, ({ log, firstOffset, nextOffset }) => {
        this.#of(log).records += nextOffset - firstOffset
      }),
      listen<WriteEvent>(logChannels.write, ({ log, sizeBytes }) => {
        this.#of(log).bytes += sizeBytes
      }),
    ]
  }

  close(): void {
    for (const end of this.#ends) end()
  }

  #of(log: string): TopicCount {
    const topic = parsePartitionDirectoryName(log)?.topic ?? log
    let count = this.topics.get(topic)
    if (count === undefined) {
      count = { records: 0, bytes: 0 }
      this.topics.set(topic, count)
    }
    return count
  }
}

function listen<Event>(
  { name }: Channel<unknown, Event>,
  listener: (event: Event) => void,
): () => void {
  const listening = (event: unknown): void => listener(event as Event)
  subscribe(name, listening)
  return () => void unsubscribe(name, listening)
}
