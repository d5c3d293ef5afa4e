import type { PayloadRecord } from '../harness/payload.ts'
import { requireUntyped, versionOf } from './installed.ts'
import type { Peer, PeerStore, RecordVisitor } from './peer.ts'

interface Storage {
  open(): boolean
  write(document: string, onFlushed?: () => void): number
  read(number: number): string | false
  readRange(from: number): Iterable<string>
  close(): void
}

const { Storage } = requireUntyped('event-storage') as {
  readonly Storage: new (name: string, settings: Readonly<Record<string, unknown>>) => Storage
}

/**
 * One partition, documents as text without JSON around it, `syncOnFlush` where a power cut counts.
 * It flushes at the end of the turn or when its buffer is full, on the event loop; its index is
 * flushed too, later. A buffer of 1 MiB instead of 16 KiB: fewer flushes, which it gains by.
 */
export const eventStoragePeer: Peer = {
  name: `event-storage ${versionOf('event-storage')}`,
  settings: 'syncOnFlush (written: without), writeBufferSize 1 MiB, text as it is',
  promises: ['flushed', 'written'],
  async open(path, promised) {
    const syncOnFlush = promised === 'flushed'
    const storage = new Storage('log', {
      dataDirectory: path,
      syncOnFlush,
      writeBufferSize: 2 ** 20,
      readBufferSize: 2 ** 16,
      serializer: { serialize: (text: string) => text, deserialize: (text: string) => text },
    })
    storage.open()
    return new EventStore(storage)
  },
}

class EventStore implements PeerStore {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  append({ bytes }: PayloadRecord): Promise<unknown> {
    return new Promise<void>((resolve) => {
      this.#storage.write(bytes.toString('latin1'), resolve)
    })
  }

  appendBatch(records: readonly PayloadRecord[]): Promise<unknown> {
    return new Promise<void>((resolve) => {
      const last = records.length - 1
      records.forEach(({ bytes }, index) => {
        this.#storage.write(bytes.toString('latin1'), index === last ? resolve : undefined)
      })
    })
  }

  async readAll(visitor: RecordVisitor): Promise<void> {
    for (const document of this.#storage.readRange(1)) visitor.text(document)
  }

  async readEach(numbers: readonly number[], visitor: RecordVisitor): Promise<void> {
    for (const number of numbers) {
      const document = this.#storage.read(number + 1)
      if (document !== false) visitor.text(document)
    }
  }

  async close(): Promise<void> {
    this.#storage.close()
  }
}
