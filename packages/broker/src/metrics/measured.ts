/** A partition's log, at the moment of a scrape. */
export interface MeasuredLog {
  readonly topic: string
  readonly partition: number
  readonly segments: number
  /** Of all segments' data. */
  readonly sizeBytes: number
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly logEndOffset: number
}

/** How far a group has come in a partition. */
export interface MeasuredGroup {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly committedOffset: number
  /** Records between the committed offset and the high watermark. */
  readonly lag: number
}

/** A queue, at the moment of a scrape. */
export interface MeasuredQueue {
  readonly queue: string
  /** Records that wait: neither acknowledged nor being worked on. */
  readonly length: number
  /** Records that somebody has dequeued and not settled. */
  readonly inFlight: number
  /** How long the oldest of them all has been there; 0 when there is none. */
  readonly oldestAgeMs: number
}

/** What metrics ask when they are scraped. */
export interface MetricsSource {
  logs(): Iterable<MeasuredLog>
  groups(): Iterable<MeasuredGroup>
  queues(): Iterable<MeasuredQueue>
  /** Whether retention waits for somebody to release what was restored from a backup. */
  isRetentionHeld(): boolean
}
