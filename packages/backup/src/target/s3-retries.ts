import { randomInt } from 'node:crypto'
import type { Clock } from '@varve/log'
import { sleep } from '@varve/log/pacing'
import { S3Failure } from './s3-failure.ts'

export interface RetryPolicy {
  /** How often a request is made before it has failed. */
  readonly attempts: number
  /** What is waited after the first failure, at most; twice as long after each further one. */
  readonly delayMs: number
  readonly clock: Clock
}

const delayMsMax = 20_000

/** Failures that came after all attempts: what contains them is not tried again. */
const finalFailures = new WeakSet<S3Failure>()

/**
 * Runs something until it succeeds, fails for good, or has been tried often enough. Rejects with
 * S3Failure, or with the signal's reason.
 *
 * Between attempts it waits for a random part of a time that doubles, so that those who failed
 * together do not come back together.
 */
export async function withRetries<Result>(
  policy: RetryPolicy,
  signal: AbortSignal | null,
  run: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await run()
    } catch (error) {
      signal?.throwIfAborted()
      const failure = S3Failure.of(error)
      if (!failure.isRetriable || finalFailures.has(failure)) throw failure
      if (attempt >= policy.attempts) {
        finalFailures.add(failure)
        throw failure
      }
      const delayMs = delayBefore(attempt, policy.delayMs)
      await sleep(policy.clock, Math.max(failure.retryAfterMs, delayMs), signal)
    }
  }
}

function delayBefore(attempt: number, delayMs: number): number {
  const longestMs = Math.min(delayMsMax, delayMs * 2 ** (attempt - 1))
  return randomInt(Math.floor(longestMs) + 1)
}
