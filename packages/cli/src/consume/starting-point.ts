import type { StartingPoint } from '@varve/broker'
import { InvalidArgumentError } from '@varve/record'

/** A date, and where there is a time of day, optionally its zone; without one it is local time. */
const isoPattern = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/

/**
 * A place in a partition as it stands on a command line: `earliest`, `latest`, an offset, or a time
 * in ISO 8601.
 *
 * @param option what it was given for, such as `--from`
 * @throws {InvalidArgumentError}
 */
export function parseStartingPoint(option: string, text: string): StartingPoint {
  if (text === 'earliest' || text === 'latest') return text
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  const timestamp = isoPattern.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(timestamp) && isDay(text.slice(0, 10))) return { timestamp }
  throw new InvalidArgumentError(
    option,
    text,
    'must be earliest, latest, an offset, or a time such as 2026-11-21T08:30Z',
  )
}

/** Whether a month has that day: 30 February would be taken for 2 March. */
function isDay(day: string): boolean {
  return new Date(day).toISOString().startsWith(day)
}
