import { InvalidArgumentError } from '@varve/record'

/** How often, and after which waits, something that failed is tried again. */
export interface RetryPolicy {
  /**
   * How long to wait after a failed attempt, in ms; null gives up.
   *
   * @param attempt the one that failed, counted from 1
   * @param elapsedMs since the first attempt began
   * @param random numbers from 0 to 1
   */
  delayMs(attempt: number, elapsedMs: number, random: () => number): number | null
}

/** When a policy gives up, whatever its waits. */
export interface RetryLimits {
  /** The first attempt counts. `Infinity` for no limit. @defaultValue 5 */
  readonly maxAttempts?: number
  /** No attempt begins later than this after the first, in ms. @defaultValue no limit */
  readonly maxElapsedMs?: number
}

/** One attempt, and no other. */
export const noRetry: RetryPolicy = { delayMs: () => null }

/** The same wait each time, in ms. */
export function fixedRetry(options: RetryLimits & { readonly delayMs: number }): RetryPolicy {
  const { delayMs } = options
  checkMs('delayMs', delayMs)
  return limited(options, () => delayMs)
}

/** A wait drawn anew each time, in ms, so that those who failed together do not return together. */
export function randomRetry(
  options: RetryLimits & { readonly minMs: number; readonly maxMs: number },
): RetryPolicy {
  const { minMs, maxMs } = options
  checkMs('minMs', minMs)
  checkMs('maxMs', maxMs)
  if (maxMs < minMs) throw new InvalidArgumentError('maxMs', maxMs, 'must be at least minMs')
  return limited(options, (_attempt, random) => minMs + random() * (maxMs - minMs))
}

export interface ExponentialRetryOptions extends RetryLimits {
  /** The first wait. @defaultValue 100 ms */
  readonly initialMs?: number
  /** By how much each wait is longer than the last. @defaultValue 2 */
  readonly factor?: number
  /** The longest wait. @defaultValue 30 s */
  readonly maxMs?: number
  /**
   * Which part of the wait is left to chance: `full` draws from all of it, `equal` from its second
   * half, `none` nothing. @defaultValue 'full'
   */
  readonly jitter?: 'none' | 'equal' | 'full'
}

/** Waits that grow, for what recovers the sooner the less it is asked. */
export function exponentialRetry(options: ExponentialRetryOptions = {}): RetryPolicy {
  const { initialMs = 100, factor = 2, maxMs = 30_000, jitter = 'full' } = options
  checkMs('initialMs', initialMs)
  checkMs('maxMs', maxMs)
  if (!(factor >= 1)) throw new InvalidArgumentError('factor', factor, 'must be at least 1')
  if (!['none', 'equal', 'full'].includes(jitter)) {
    throw new InvalidArgumentError('jitter', jitter, 'must be none, equal or full')
  }
  return limited(options, (attempt, random) => {
    const wholeMs = Math.min(maxMs, initialMs * factor ** (attempt - 1))
    if (jitter === 'none') return wholeMs
    return jitter === 'full' ? random() * wholeMs : wholeMs / 2 + (random() * wholeMs) / 2
  })
}

function limited(
  { maxAttempts = 5, maxElapsedMs = Infinity }: RetryLimits,
  waitMs: (attempt: number, random: () => number) => number,
): RetryPolicy {
  if (!(maxAttempts >= 1)) {
    throw new InvalidArgumentError('maxAttempts', maxAttempts, 'must be 1 at least')
  }
  if (!(maxElapsedMs >= 0)) {
    throw new InvalidArgumentError('maxElapsedMs', maxElapsedMs, 'must be 0 at least')
  }
  return {
    delayMs(attempt, elapsedMs, random) {
      if (attempt >= maxAttempts) return null
      const delayMs = Math.round(waitMs(attempt, random))
      return elapsedMs + delayMs > maxElapsedMs ? null : delayMs
    },
  }
}

function checkMs(name: string, value: number): void {
  if (Number.isFinite(value) && value >= 0) return
  throw new InvalidArgumentError(name, value, 'must be a number of milliseconds, 0 at least')
}
