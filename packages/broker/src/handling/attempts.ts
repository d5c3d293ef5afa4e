import type { Clock } from '@varve/log'
import type { RetryPolicy } from './retry-policy.ts'

/** What came of handling something. */
export type HandlingOutcome =
  | { readonly kind: 'handled'; readonly attempts: number }
  /** The policy gave up. */
  | { readonly kind: 'failed'; readonly attempts: number; readonly error: unknown }
  /** The signal came first: it has to be handled again. */
  | { readonly kind: 'stopped'; readonly attempts: number }

export interface AttemptContext {
  readonly policy: RetryPolicy
  readonly clock: Clock
  /** 0 to 1. */
  readonly random: () => number
  readonly signal: AbortSignal
}

/** Thrown by a handler: trying again is of no use, whatever the retry policy. */
export class NotRetriable extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'NotRetriable'
  }
}

/** Tries until it works, the policy gives up, or the signal is given. Never rejects. */
export async function attempt(
  handle: (attempt: number) => Promise<void> | void,
  context: AttemptContext,
): Promise<HandlingOutcome> {
  const { policy, clock, random, signal } = context
  const startMs = clock.monotonic()
  for (let attempts = 1; ; attempts++) {
    try {
      await handle(attempts)
      return { kind: 'handled', attempts }
    } catch (error) {
      // A handler that was told to stop fails for that reason.
      if (signal.aborted) return { kind: 'stopped', attempts }
      const elapsedMs = clock.monotonic() - startMs
      const isFinal = error instanceof NotRetriable
      const delayMs = isFinal ? null : policy.delayMs(attempts, elapsedMs, random)
      if (delayMs === null) return { kind: 'failed', attempts, error }
      await wait(delayMs, clock, signal)
      if (signal.aborted) return { kind: 'stopped', attempts }
    }
  }
}

function wait(delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.setTimer(delayMs, end, { keepsAlive: true })
    signal.addEventListener('abort', end)
  })
}
