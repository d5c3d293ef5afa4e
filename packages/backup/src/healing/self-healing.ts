import { type Channel, channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type CorruptionEvent, type Log, logChannels, SegmentPinnedError } from '@varve/log'
import type { HealOutcome, SegmentHealer } from './segment-healer.ts'

/** A segment in which damage was met has been healed, or could not be. */
export interface HealEvent {
  readonly log: string
  /** Of the `.log`. */
  readonly path: string
  readonly outcome: HealOutcome | { readonly kind: 'failed'; readonly error: Error }
}

/** Tells of every segment that was looked at: `subscribe(healChannel.name, …)`. */
export const healChannel: Channel<unknown, HealEvent> = channel('varve:backup:heal') as Channel<
  unknown,
  HealEvent
>

export interface SelfHealingOptions {
  /** The log that is open here and has this directory; null where there is none. */
  readonly logAt: (directory: string) => Log | null
  readonly healer: Pick<SegmentHealer, 'healOpen'>
  /**
   * Runs an action while nobody else replaces segments of a log: whoever has a cleaner gives its
   * `exclusively`. @defaultValue runs it
   */
  readonly exclusively?: (log: Log, action: () => Promise<HealOutcome>) => Promise<HealOutcome>
}

/**
 * Heals segments of open logs when a reader meets damage in them, or when somebody reports it, one
 * after the other. A segment that could not be healed is tried again when it is met again.
 */
export class SelfHealing implements AsyncDisposable {
  readonly #options: SelfHealingOptions
  readonly #waiting = new Set<string>()
  #last: Promise<void> = Promise.resolve()
  #isClosed = false
  readonly #met = (event: unknown): void => {
    this.report((event as CorruptionEvent).path)
  }

  /** Begins at once. */
  constructor(options: SelfHealingOptions) {
    this.#options = options
    subscribe(logChannels.corruption.name, this.#met)
  }

  /** There may be damage in this file. Of what is not a sealed segment here nothing is done. */
  report(path: string): void {
    if (this.#isClosed || this.#waiting.has(path)) return
    const log = this.#logOf(path)
    if (log === null) return
    this.#waiting.add(path)
    this.#last = this.#last.then(async () => {
      await this.#heal(log, path)
      this.#waiting.delete(path)
    })
  }

  /** Resolves when everything that was reported until now has been looked at. */
  async settled(): Promise<void> {
    await this.#last
  }

  /** Ends what is under way, and takes no more. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    unsubscribe(logChannels.corruption.name, this.#met)
    await this.#last
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #heal(log: Log, path: string): Promise<void> {
    const { healer, exclusively = (_, action) => action() } = this.#options
    const segment = sealedSegment(log, path)
    if (this.#isClosed || segment === null) return
    try {
      const outcome = await exclusively(log, () => healer.healOpen(log, segment))
      healChannel.publish({ log: log.name, path, outcome })
    } catch (error) {
      const told = error instanceof Error ? error : new Error(String(error))
      const outcome = outcomeOf(told)
      healChannel.publish({ log: log.name, path, outcome })
    }
  }

  #logOf(path: string): Log | null {
    const log = this.#options.logAt(path.slice(0, path.lastIndexOf('/')))
    return log !== null && sealedSegment(log, path) !== null ? log : null
  }
}

function outcomeOf(error: Error): HealEvent['outcome'] {
  // A backup is reading it: that will be over.
  if (error instanceof SegmentPinnedError) return { kind: 'refused', reasons: [error.message] }
  return { kind: 'failed', error }
}

function sealedSegment(log: Log, path: string) {
  const sealed = log.segments().slice(0, -1)
  return sealed.find((segment) => segment.path === path) ?? null
}
