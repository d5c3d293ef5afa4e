import { InvalidArgumentError } from '@varve/record'

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  kib: 2 ** 10,
  m: 1e6,
  mb: 1e6,
  mib: 2 ** 20,
  g: 1e9,
  gb: 1e9,
  gib: 2 ** 30,
  tb: 1e12,
  tib: 2 ** 40,
}

/** Bytes, of `65536`, `64KiB`, `1.5 GB`. Throws InvalidArgumentError, which names the option. */
export function parseByteSize(option: string, given: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(given)
  const unit = units[match?.[2]?.toLowerCase() ?? '']
  const exact = Number(match?.[1]) * (unit ?? Number.NaN)
  const bytes = Math.round(exact)
  // Half a byte is a unit that was forgotten.
  const isWhole = unit !== 1 || bytes === exact
  if (Number.isSafeInteger(bytes) && bytes > 0 && isWhole) return bytes
  throw new InvalidArgumentError(option, given, 'must be a size, as 65536, 64KiB or 1.5GB')
}
