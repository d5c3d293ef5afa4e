import { type Batch, controlTypeOf, type Offset, type Timestamp } from '@varve/record'
import type { HistoryPartition } from './record-history.ts'

/** What happens at a transaction of which the history does not know how it ended. */
export type OpenTransactions = 'stop' | 'leave-out'

export interface CommittedOptions {
  readonly from: Offset
  /** Segments whose records are all older may be left out. @defaultValue none is */
  readonly since?: Timestamp
  /** @defaultValue 'stop', as a reader of committed records would */
  readonly openTransactions?: OpenTransactions
}

/**
 * The batches of a partition that hold records for programs: no control records, nothing of aborted
 * transactions. Returns the offset before which everything was looked at.
 */
export async function* committedBatches(
  partition: HistoryPartition,
  { openTransactions = 'stop', ...reading }: CommittedOptions,
): AsyncGenerator<Batch, Offset, undefined> {
  const fates = new TransactionFates(partition)
  try {
    for await (const batch of partition.batches(reading)) {
      if (batch.isControl) continue
      if (batch.isTransactional) {
        const fate = await fates.of(batch)
        if (fate === 'open' && openTransactions === 'stop') return firstOf(batch, reading.from)
        if (fate !== 'commit') continue
      }
      yield batch
    }
    return partition.endOffset
  } finally {
    await fates.close()
  }
}

function firstOf(batch: Batch, from: Offset): Offset {
  return Math.max(batch.baseOffset, from)
}

type Fate = 'commit' | 'abort' | 'open'

interface Marker {
  readonly offset: Offset
  readonly fate: 'commit' | 'abort'
}

/**
 * How transactions ended. The marker that says so comes after their records, so this reads ahead of
 * whoever asks, a second time and only as far as it must: nothing is kept but markers.
 */
class TransactionFates {
  readonly #partition: HistoryPartition
  #ahead: AsyncIterator<Batch> | null = null
  #isAtEnd = false
  readonly #markers = new Map<number, Marker[]>()

  constructor(partition: HistoryPartition) {
    this.#partition = partition
  }

  async of({ producerId, baseOffset }: Batch): Promise<Fate> {
    this.#ahead ??= this.#partition.batches({ from: baseOffset })[Symbol.asyncIterator]()
    for (;;) {
      const fate = this.#known(producerId, baseOffset)
      if (fate !== null) return fate
      if (this.#isAtEnd) return 'open'
      const { done, value } = await this.#ahead.next()
      if (done === true) this.#isAtEnd = true
      else this.#note(value, baseOffset)
    }
  }

  async close(): Promise<void> {
    await this.#ahead?.return?.()
  }

  #known(producerId: number, offset: Offset): Fate | null {
    const markers = this.#markers.get(producerId) ?? []
    while (markers[0] !== undefined && markers[0].offset < offset) markers.shift()
    return markers[0]?.fate ?? null
  }

  #note(batch: Batch, asked: Offset): void {
    if (!batch.isControl) return
    const { producerId, lastOffset: offset } = batch
    for (const record of batch.records()) {
      const fate = controlTypeOf(record)
      if (fate !== 'commit' && fate !== 'abort') continue
      const markers = this.#markers.get(producerId)
      if (markers === undefined) this.#markers.set(producerId, [{ offset, fate }])
      else markers.push({ offset, fate })
    }
    if (this.#markers.size >= manyProducers) this.#forgetBefore(asked)
  }

  #forgetBefore(offset: Offset): void {
    for (const [producerId, markers] of this.#markers) {
      if ((markers.at(-1)?.offset ?? 0) < offset) this.#markers.delete(producerId)
    }
  }
}

const manyProducers = 10_000
