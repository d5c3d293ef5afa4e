// Numbers, times and texts as the page writes them.

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** `12,345`. */
export function count(value: number): string {
  return grouped.format(value)
}

/** `12,345 records`. */
export function counted(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? '' : 's'}`
}

/** `0–3, 7`: whole numbers that rise. */
export function ranges(values: readonly number[]): string {
  const found: string[] = []
  for (let from = 0, to = 0; from < values.length; from = to) {
    const first = values[from] ?? 0
    for (to = from + 1; values[to] === first + to - from; ) to++
    const last = values[to - 1] ?? 0
    found.push(first === last ? `${first}` : `${first}–${last}`)
  }
  return found.join(', ')
}

/** `1.2 k`, `3.4 M`: where only the size of a number matters. */
export function roughly(value: number): string {
  const units = ['', ' k', ' M', ' G']
  let unit = 0
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${short.format(value)}${units[unit]}`
}

/** `1.5 MiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let unit = 0
  while (Math.abs(value) >= 1023.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? grouped.format(value) : short.format(value)} ${units[unit]}`
}

/** `3 d`, `4.5 h`, `12 s`: one unit, two digits. */
export function duration(ms: number): string {
  const units: ReadonlyArray<readonly [number, string]> = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ]
  for (const [size, unit] of units) {
    if (ms < size) continue
    const value = ms / size
    return `${value < 9.95 ? Number(value.toFixed(1)) : Math.round(value)} ${unit}`
  }
  return `${Math.round(ms)} ms`
}

/** `3 h ago`. */
export function ago(atMs: number, nowMs: number): string {
  const ms = nowMs - atMs
  if (ms < 0) return `in ${duration(-ms)}`
  return ms < 1000 ? 'just now' : `${duration(ms)} ago`
}

/** `2026-11-21 16:03:07.123`, as the clock on the wall has it; without a time, a dash. */
export function time(ms: number): string {
  if (ms < 0) return '–'
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return String(ms)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${day} ${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** `12 %`. */
export function percent(share: number): string {
  return `${short.format(share * 100)} %`
}

/** Kafka's settings: -1 is no limit. */
export function limit(value: number, show: (value: number) => string): string {
  return value < 0 ? 'no limit' : show(value)
}

/**
 * Text of records is anybody's: what a browser does not show, or what turns the text around it, is
 * shown as what it is.
 */
export function visible(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g,
    (character) => {
      const code = character.charCodeAt(0)
      if (code < 0x20) return String.fromCharCode(0x2400 + code)
      return `\\u${code.toString(16).padStart(4, '0')}`
    },
  )
}

/** On one line, for tables. */
export function oneLine(text: string): string {
  return visible(text).replace(/\s*\n\s*/g, ' ⏎ ')
}
