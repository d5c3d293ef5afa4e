import type { ReplayReport } from '@varve/broker'
import type { Clock } from '@varve/log'
import type { LogRecord } from '@varve/record'
import type { Home } from '../cluster/home.ts'

/** A record of a topic, a dead letter or another. */
export type ReadRecord = Pick<LogRecord, 'offset' | 'key' | 'headers'> & {
  readonly partition: number
}

export interface Replaying {
  /** To the partition where each was; else the key decides. */
  readonly toOriginalPartition: boolean
}

/** A dead-letter topic, in a data directory or on a server. */
export interface DeadLetterHome extends AsyncDisposable {
  /** What is there now and committed, partition by partition. Ends early when it is aborted. */
  records(signal: AbortSignal): AsyncIterable<ReadRecord>
  /** Sends back what was not sent back before. */
  replay(options: Replaying): Promise<ReplayReport>
}

/** Rejects with TopicNotFoundError. */
export async function openDeadLetters(
  home: Home,
  topic: string,
  clock: Clock,
): Promise<DeadLetterHome> {
  if ('data' in home) {
    const { DirectoryLetters } = await import('./directory-letters.ts')
    return new DirectoryLetters(home.data, topic, clock)
  }
  const { ClusterLetters } = await import('./cluster-letters.ts')
  return await ClusterLetters.open(home.place, topic)
}
