/**
 * The partition of `__consumer_offsets` that holds a group: Java's `String.hashCode` of its name,
 * without sign, modulo the number of partitions. Kafka's default number is 50, and cannot be
 * changed once groups are there.
 */
export function partitionForGroup(group: string, partitionCount: number): number {
  return javaAbs(javaHashCode(group)) % partitionCount
}

function javaHashCode(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) {
    hash = (Math.imul(31, hash) + text.charCodeAt(index)) | 0
  }
  return hash
}

/** Kafka's Utils.abs: the int32 without an opposite is 0. */
function javaAbs(value: number): number {
  return value === -(2 ** 31) ? 0 : Math.abs(value)
}
