import { type Log, LogDirectory, type LogOptions } from '@varve/log'
import type { PayloadRecord } from '../harness/payload.ts'
import type { Peer, PeerStore, RecordVisitor } from './peer.ts'

/** The engine itself, with its defaults but for what is given. */
export function varvePeer(name: string, options: LogOptions = {}): Peer {
  return {
    name,
    settings: Object.keys(options).length === 0 ? 'defaults' : JSON.stringify(options),
    promises: ['flushed', 'written'],
    async open(path, promised) {
      const directory = await LogDirectory.open(path, { log: { ...options, acks: promised } })
      return new VarveStore(directory, await directory.createLog('bench', 0))
    },
  }
}

export const varve: Peer = varvePeer('varve')

class VarveStore implements PeerStore {
  readonly #directory: LogDirectory
  readonly #log: Log

  constructor(directory: LogDirectory, log: Log) {
    this.#directory = directory
    this.#log = log
  }

  append(record: PayloadRecord): Promise<unknown> {
    return this.#log.append(record)
  }

  appendBatch(records: readonly PayloadRecord[]): Promise<unknown> {
    return this.#log.append(records)
  }

  async readAll(visitor: RecordVisitor): Promise<void> {
    const reader = this.#log.reader({ from: this.#log.logStartOffset, reuseMemory: true })
    for (let batches = await reader.nextBatches(); batches !== null; ) {
      for (const batch of batches) {
        for (const { key, value } of batch.records()) {
          if (key !== null && value !== null) visitor.keyAndValue(key, value)
        }
      }
      batches = await reader.nextBatches()
    }
  }

  async readEach(numbers: readonly number[], visitor: RecordVisitor): Promise<void> {
    for (const from of numbers) {
      const record = await this.#log.readRecord(from)
      const { key = null, value = null } = record ?? {}
      if (key !== null && value !== null) visitor.keyAndValue(key, value)
    }
  }

  async close(): Promise<void> {
    await this.#directory.close()
  }
}
