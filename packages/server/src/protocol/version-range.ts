import { strict as assert } from 'node:assert'

/** Versions from `first` to `last`, both included. */
export interface VersionRange {
  readonly first: number
  readonly last: number
}

/** Reads `'3'`, `'3-7'` or `'3+'`. */
export function parseVersionRange(text: string): VersionRange {
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text)
  if (match === null) assert.fail('a range of versions is written as 3, 3-7 or 3+')
  const first = Number(match[1])
  if (match[2] !== undefined) return { first, last: Number.POSITIVE_INFINITY }
  return { first, last: Number(match[3] ?? first) }
}

export function includesVersion(range: VersionRange, version: number): boolean {
  return version >= range.first && version <= range.last
}
