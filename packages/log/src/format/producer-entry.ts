import type { Batch, Offset, Timestamp } from '@varve/record'

/** What is remembered of a batch, to recognise it when it is sent again. */
export interface ProducerBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly firstOffset: Offset
  readonly lastOffset: Offset
  readonly timestamp: Timestamp
}

/** The state of one producer id in one log. */
export interface ProducerStateInfo {
  readonly producerId: number
  /** -1 when unknown. */
  readonly epoch: number
  /** Epoch of the transaction coordinator that wrote the latest marker, -1 when there was none. */
  readonly coordinatorEpoch: number
  /** Record time of the newest batch or marker. */
  readonly lastTimestamp: Timestamp
  /** Where the open transaction begins, null when none is open. */
  readonly currentTransactionFirstOffset: Offset | null
  /** The newest of the current epoch, at most five, oldest first; one at most after a restart. */
  readonly batches: readonly ProducerBatch[]
}

/** Clients have at most five requests in flight, so older batches are never sent again. */
const batchesMax = 5

/** One producer's state as it changes (Kafka's ProducerStateEntry). */
export class ProducerEntry implements ProducerStateInfo {
  readonly producerId: number
  epoch = -1
  coordinatorEpoch = -1
  lastTimestamp: Timestamp = -1
  currentTransactionFirstOffset: Offset | null = null
  readonly #batches: ProducerBatch[] = []

  constructor(producerId: number) {
    this.producerId = producerId
  }

  static from(info: ProducerStateInfo): ProducerEntry {
    const entry = new ProducerEntry(info.producerId)
    entry.epoch = info.epoch
    entry.coordinatorEpoch = info.coordinatorEpoch
    entry.lastTimestamp = info.lastTimestamp
    entry.currentTransactionFirstOffset = info.currentTransactionFirstOffset
    entry.#batches.push(...info.batches.slice(-batchesMax))
    return entry
  }

  get batches(): readonly ProducerBatch[] {
    return this.#batches
  }

  /** Of the newest batch in the current epoch, -1 when there is none. */
  get lastSequence(): number {
    return this.#batches.at(-1)?.lastSequence ?? -1
  }

  findDuplicate(batch: Batch): ProducerBatch | null {
    if (batch.producerEpoch !== this.epoch) return null
    const { baseSequence, lastSequence } = batch
    for (const known of this.#batches) {
      if (known.firstSequence === baseSequence && known.lastSequence === lastSequence) return known
    }
    return null
  }

  addBatch(epoch: number, batch: ProducerBatch): void {
    this.#enterEpoch(epoch)
    if (this.#batches.length === batchesMax) this.#batches.shift()
    this.#batches.push(batch)
    this.lastTimestamp = batch.timestamp
  }

  endTransaction(epoch: number, coordinatorEpoch: number, timestamp: Timestamp): void {
    this.#enterEpoch(epoch)
    this.coordinatorEpoch = coordinatorEpoch
    this.lastTimestamp = timestamp
    this.currentTransactionFirstOffset = null
  }

  /** Sequence numbers begin anew with an epoch. */
  #enterEpoch(epoch: number): void {
    if (epoch === this.epoch) return
    this.epoch = epoch
    this.#batches.length = 0
  }
}

/** What is known of a producer now, apart from what will be known later. */
export function producerInfo(entry: ProducerStateInfo): ProducerStateInfo {
  return {
    producerId: entry.producerId,
    epoch: entry.epoch,
    coordinatorEpoch: entry.coordinatorEpoch,
    lastTimestamp: entry.lastTimestamp,
    currentTransactionFirstOffset: entry.currentTransactionFirstOffset,
    batches: [...entry.batches],
  }
}
