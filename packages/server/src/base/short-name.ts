import { createHash } from 'node:crypto'

/** No topic, user or client with a quota has a longer name. */
const shortLengthMax = 256

/**
 * What stands for a name in keys of which there are many: the name, unless it is longer than any
 * that means something. A name of 30 KiB in the keys of all partitions that a request names would
 * take gigabytes, as would ten thousand of them that are remembered.
 */
export function shortName(name: string): string {
  if (name.length <= shortLengthMax) return name
  return `sha256 ${createHash('sha256').update(name).digest('base64')}`
}
