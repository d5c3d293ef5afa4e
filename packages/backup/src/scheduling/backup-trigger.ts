import { type Clock, logChannels, type SegmentInfo, type Timer } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'

/**
 * What calls for a backup.
 *
 * - `sealed`: a segment was sealed, so that it will not change any more.
 * - `compacted`: segments were replaced by cleaned ones.
 */
export type BackupEvent = 'sealed' | 'compacted'

export interface TriggerOptions {
  readonly events: readonly BackupEvent[]
  /** The data directory whose events count, as its logs were opened. */
  readonly directory: string
  readonly clock: Clock
  /**
   * So long after the first event the run begins: it serves all that come until then. In ms.
   * @defaultValue 1000
   */
  readonly delayMs?: number
  /** Told of a run that failed; the next event calls again. */
  readonly onError?: (error: unknown) => void
}

/**
 * Calls something soon after something happened to the logs of a data directory that this process
 * has open. Runs do not overlap; what happens during one is served by the next.
 */
export class BackupTrigger {
  readonly #options: TriggerOptions
  readonly #run: () => Promise<void>
  readonly #unsubscribe: () => void
  #timer: Timer | null = null
  #running: Promise<void> | null = null
  #isCalledAgain = false
  #isStopped = false

  /** Throws InvalidArgumentError for no events, or a delay below 0. */
  constructor(run: () => Promise<void>, options: TriggerOptions) {
    const { events, delayMs = 1000 } = options
    if (events.length === 0) throw new InvalidArgumentError('events', 'empty', 'name at least one')
    if (!(delayMs >= 0)) throw new InvalidArgumentError('delayMs', delayMs, 'must be at least 0')
    this.#options = options
    this.#run = run
    this.#unsubscribe = this.#subscribe(events)
  }

  /** Calls now, for whatever reason of the program's own. */
  fire(): void {
    if (this.#isStopped) return
    if (this.#running !== null) {
      this.#isCalledAgain = true
      return
    }
    const { clock, delayMs = 1000 } = this.#options
    this.#timer ??= clock.setTimer(delayMs, () => this.#begin())
  }

  /** No run begins any more; resolves when the one that goes on has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#unsubscribe()
    this.#timer?.cancel()
    await this.#running
  }

  #begin(): void {
    this.#timer = null
    this.#running = this.#runOnce().finally(() => {
      this.#running = null
      if (!this.#isCalledAgain) return
      this.#isCalledAgain = false
      this.fire()
    })
  }

  async #runOnce(): Promise<void> {
    try {
      await this.#run()
    } catch (error) {
      this.#options.onError?.(error)
    }
  }

  #subscribe(events: readonly BackupEvent[]): () => void {
    const sealed = (event: unknown): void => {
      this.#happened([(event as { readonly sealed: SegmentInfo }).sealed])
    }
    const compacted = (event: unknown): void => {
      this.#happened((event as { readonly added: readonly SegmentInfo[] }).added)
    }
    if (events.includes('sealed')) logChannels.roll.subscribe(sealed)
    if (events.includes('compacted')) logChannels.replace.subscribe(compacted)
    return () => {
      logChannels.roll.unsubscribe(sealed)
      logChannels.replace.unsubscribe(compacted)
    }
  }

  /** The channels are those of the whole process. */
  #happened(segments: readonly SegmentInfo[]): void {
    const { directory } = this.#options
    if (segments.some(({ path }) => path.startsWith(`${directory}/`))) this.fire()
  }
}
