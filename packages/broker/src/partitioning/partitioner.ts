import { murmur2 } from './murmur2.ts'

/**
 * Chooses the partition of a record.
 *
 * @param topic the topic's name
 * @param key as it will be written: bytes, or a string that stands for its UTF-8
 * @param partitions how many there are
 * @returns 0 to partitions - 1; null leaves the choice to the producer, as without a key
 */
export type Partitioner = (
  topic: string,
  key: Uint8Array | string | null,
  partitions: number,
) => number | null

/** Keys are hashed from here; longer ones get memory of their own. */
const scratch = Buffer.allocUnsafeSlow(1024)
/** UTF-8 of one UTF-16 unit. */
const bytesPerUnitMax = 3
/** Up to so many characters a loop is faster than a native call. */
const shortKey = 24

/**
 * The partition that Kafka's default partitioner chooses for a key: its murmur2 without the sign
 * bit, modulo the number of partitions. So a Java producer and this one agree.
 */
export function partitionForKey(key: Uint8Array | string, partitions: number): number {
  const hash = typeof key === 'string' ? hashOfText(key) : murmur2(key)
  return (hash & 0x7fffffff) % partitions
}

/** By key; without one the producer chooses. Producers use it unless they are given another. */
export const defaultPartitioner: Partitioner = (_topic, key, partitions) =>
  key === null ? null : partitionForKey(key, partitions)

function hashOfText(key: string): number {
  const { length } = key
  if (length <= shortKey) {
    let index = 0
    for (; index < length; index++) {
      const unit = key.charCodeAt(index)
      if (unit >= 0x80) break
      scratch[index] = unit
    }
    if (index === length) return murmur2(scratch, length)
  }
  if (length * bytesPerUnitMax > scratch.length) return murmur2(Buffer.from(key, 'utf8'))
  return murmur2(scratch, scratch.write(key, 0, 'utf8'))
}
