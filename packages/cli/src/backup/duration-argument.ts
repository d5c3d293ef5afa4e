import { timeSpanMs, timeSpanRule } from '@varve/backup'
import { InvalidArgumentError } from '@varve/record'

/** A time span as people write it, `90s`, `30m`, `12h`, `30d`, `8w`, in ms. */
export function durationMs(option: string, text: string): number {
  const found = timeSpanMs(text)
  if (found === null) throw new InvalidArgumentError(option, text, timeSpanRule)
  return found
}
