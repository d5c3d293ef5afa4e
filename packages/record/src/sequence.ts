// Sequence numbers are 31-bit counters that wrap from 2147483647 to 0 (Kafka's
// `DefaultRecordBatch`).

const sequenceMax = 2 ** 31 - 1

/** The sequence number `by` records after `sequence`. */
export function incrementSequence(sequence: number, by: number): number {
  return sequence > sequenceMax - by ? by - (sequenceMax - sequence) - 1 : sequence + by
}

/** The sequence number `by` records before `sequence`. */
export function decrementSequence(sequence: number, by: number): number {
  return sequence < by ? sequenceMax - (by - sequence) + 1 : sequence - by
}
