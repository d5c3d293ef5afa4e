import { InvalidArgumentError } from '@varve/record'

const unitMs = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
} as const

/** A time span as people write it, `90s`, `30m`, `12h`, `30d`, `8w`, in ms. */
export function durationMs(option: string, text: string): number {
  const match = /^(\d{1,9})(s|m|h|d|w)$/.exec(text)
  if (match === null) {
    throw new InvalidArgumentError(option, text, 'must be like 90s, 30m, 12h, 30d or 8w')
  }
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]
}
