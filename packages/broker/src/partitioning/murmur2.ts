const seed = 0x9747b28c
const multiplier = 0x5bd1e995
const rotation = 24

/**
 * The 32-bit hash that Kafka's clients choose a key's partition by (MurmurHash2 with Kafka's seed,
 * its `Utils.murmur2`). An int32, as Java has it: possibly negative.
 *
 * @param end how many of the bytes count
 */
export function murmur2(bytes: Uint8Array, end: number = bytes.length): number {
  let hash = seed ^ end
  const wholeEnd = end & ~3
  for (let at = 0; at < wholeEnd; at += 4) {
    let word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    word = Math.imul(word, multiplier)
    word ^= word >>> rotation
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier)
  }
  const rest = end - wholeEnd
  if (rest >= 3) hash ^= (bytes[wholeEnd + 2] as number) << 16
  if (rest >= 2) hash ^= (bytes[wholeEnd + 1] as number) << 8
  if (rest >= 1) hash = Math.imul(hash ^ (bytes[wholeEnd] as number), multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}
