import type { Scenario } from './scenario.ts'

/** A way in which Varve makes partition directories. */
export interface DirectoryMaker {
  readonly name: string
  readonly scenarios: readonly Scenario[]
  /**
   * Whether what it leaves is a cleanly closed log, which Kafka believes; otherwise Kafka has to
   * recover it.
   */
  readonly closesCleanly: boolean
  /** Fills an existing, empty directory, named as a partition's. */
  make(directory: string, scenario: Scenario): Promise<void>
}
