import { InvalidArgumentError } from '@varve/record'

/** Throws InvalidArgumentError unless `value` is null or an integer of `min` and more. */
export function requireCount(name: string, value: number | null, min: number): void {
  if (value === null || (Number.isSafeInteger(value) && value >= min)) return
  throw new InvalidArgumentError(`--${name}`, value, `must be an integer of ${min} or more`)
}
