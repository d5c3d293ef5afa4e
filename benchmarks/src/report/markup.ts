/** Text that may stand anywhere in HTML or SVG. */
export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** A number with three digits and a prefix: `12.3 k`. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  const prefixes = [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e4, ' k'],
  ] as const
  for (const [from, prefix] of prefixes) {
    if (size >= from) return digits(value / (from === 1e4 ? 1e3 : from)) + prefix
  }
  return digits(value)
}

function digits(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e4) return String(value)
  const size = Math.abs(value)
  if (size >= 100) return value.toFixed(0)
  return value.toFixed(size >= 10 ? 1 : 2)
}
