const unitMs = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
} as const

/** What {@link timeSpanMs} reads, in words. */
export const timeSpanRule = 'must be like 90s, 30m, 12h, 30d or 8w'

/** A time span as people write it, `90s`, `30m`, `12h`, `30d`, `8w`, in ms; null for none. */
export function timeSpanMs(text: string): number | null {
  const match = /^(\d{1,9})(s|m|h|d|w)$/.exec(text)
  return match && Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]
}
