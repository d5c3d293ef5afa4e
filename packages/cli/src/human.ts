// Numbers as people read them. Machines get them from `--json`, unrounded.

const thousands = new Intl.NumberFormat('en-US')
const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `1,234,567`. */
export function formatCount(count: number): string {
  return thousands.format(count)
}

/** `1 record`, `2 records`. */
export function formatAmount(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : pluralEnding(noun)}`
}

function pluralEnding(noun: string): string {
  return /(ch|sh|s|x)$/.test(noun) ? 'es' : 's'
}

/** `17 B`, `3.2 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1023.95 && unit < byteUnits.length - 1) {
    value /= 1024
    unit += 1
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(1)} ${byteUnits[unit]}`
}

/** `840 ms`, `3.2 s`, `2 min 5 s`, `1 h 4 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  const seconds = milliseconds / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  return `${formatCount(Math.floor(minutes / 60))} h ${minutes % 60} min`
}

/** `1,234,567 records/s`; what took no measurable time has no rate. */
export function formatRate(count: number, noun: string, milliseconds: number): string {
  if (milliseconds <= 0) return ''
  return `${formatAmount(Math.round(ratePerSecond(count, milliseconds)), noun)}/s`
}

/** `31.0 MiB/s`. */
export function formatByteRate(bytes: number, milliseconds: number): string {
  if (milliseconds <= 0) return ''
  return `${formatBytes(Math.round(ratePerSecond(bytes, milliseconds)))}/s`
}

export function ratePerSecond(count: number, milliseconds: number): number {
  return milliseconds <= 0 ? 0 : (count * 1000) / milliseconds
}

/** ISO 8601 in UTC; '-' for none (-1) and the number itself where no calendar reaches. */
export function formatTimestamp(timestamp: number | null): string {
  if (timestamp === null || timestamp === -1) return '-'
  const date = new Date(timestamp)
  return Number.isNaN(date.getTime()) ? String(timestamp) : date.toISOString()
}
