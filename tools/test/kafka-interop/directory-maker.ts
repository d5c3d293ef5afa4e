import type { Scenario } from './scenario.ts'

/** A way in which Varve makes partition directories. */
export interface DirectoryMaker {
  readonly name: string
  readonly scenarios: readonly Scenario[]
  /**
   * Whether what it leaves is cleanly closed logs, which Kafka believes; otherwise Kafka has to
   * recover them.
   */
  readonly closesCleanly: boolean
  /** Makes a partition directory for each of its scenarios in an empty data directory. */
  make(dataDirectory: string): Promise<void>
}
