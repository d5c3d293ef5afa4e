import type { Assignor } from './assigning/assignor.ts'

export interface GroupMemberOptions {
  readonly group: string
  readonly topics: readonly string[]
  /** A name for descriptions and member ids. @defaultValue 'consumer' */
  readonly clientId?: string
  /**
   * A name that the member keeps over restarts: back within `sessionTimeoutMs` it gets what it had,
   * without a rebalance. Each member needs its own. @defaultValue none
   */
  readonly groupInstanceId?: string
  /** In order of preference. @defaultValue cooperative-sticky */
  readonly assignors?: readonly Assignor[]
  /** How long a static member that has closed keeps its part, in ms. @defaultValue 45000 */
  readonly sessionTimeoutMs?: number
  /**
   * How long the program may take for one record, with `run` one call of a handler, in ms, before
   * its partitions go to others; also how long a rebalance waits for it. Kafka's
   * max.poll.interval.ms. @defaultValue 300000
   */
  readonly maxPollIntervalMs?: number
}
