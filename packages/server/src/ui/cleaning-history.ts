import { type CompactionEvent, cleanerChannels, type RetentionEvent } from '@varve/cleaner'
import type { Clock } from '@varve/log'
import type { CleaningRunAnswer } from './answers.ts'

const runsMax = 100

/**
 * What retention and compaction did last. Events name logs, not data directories: where a process
 * has several open, those of the same names are shown together.
 */
export class CleaningHistory {
  readonly #clock: Clock
  readonly #runs: CleaningRunAnswer[] = []
  readonly #unsubscribe: () => void

  constructor(clock: Clock) {
    this.#clock = clock
    const retained = (event: unknown): void => this.#retained(event as RetentionEvent)
    const compacted = (event: unknown): void => this.#compacted(event as CompactionEvent)
    cleanerChannels.retention.subscribe(retained)
    cleanerChannels.compaction.subscribe(compacted)
    this.#unsubscribe = () => {
      cleanerChannels.retention.unsubscribe(retained)
      cleanerChannels.compaction.unsubscribe(compacted)
    }
  }

  /** The newest first; of those logs that are there. */
  runs(isThere: (log: string) => boolean): readonly CleaningRunAnswer[] {
    return this.#runs.filter(({ log }) => isThere(log)).toReversed()
  }

  close(): void {
    this.#unsubscribe()
  }

  #retained({ log, deletions }: RetentionEvent): void {
    for (const { reason, segments, sizeBytes } of deletions) {
      this.#add({
        ...{ atMs: this.#clock.now(), log, task: 'retention', reason },
        ...{ inputBytes: sizeBytes, outputBytes: 0, segments: segments.length, durationMs: null },
      })
    }
  }

  #compacted({ log, reason, outcome, durationMs }: CompactionEvent): void {
    const { inputBytes, outputBytes } = outcome.stats
    this.#add({
      ...{ atMs: this.#clock.now(), log, task: 'compaction', reason },
      ...{ inputBytes, outputBytes, segments: 0, durationMs },
    })
  }

  #add(run: CleaningRunAnswer): void {
    this.#runs.push(run)
    if (this.#runs.length > runsMax) this.#runs.shift()
  }
}
