import { describe, inject } from 'vitest'
import { type KafkaRelease, pinnedKafkaVersions } from '../../src/kafka/kafka-release.ts'

/**
 * Declares tests for each release of Kafka; where one can't be had they are skipped, saying why.
 */
export function describeWithKafka(body: (release: KafkaRelease) => void): void {
  for (const line of ['3.9', '4'] as const) {
    const availability = inject('kafka')[line]
    const name = `Apache Kafka ${pinnedKafkaVersions[line]}`
    if (availability.available) {
      describe(name, () => body(availability.release))
    } else {
      describe.skip(`${name} (skipped: ${availability.reason})`, () => body(absentRelease))
    }
  }
}

/** Skipped tests are declared, so that they are counted, but not run. */
const absentRelease: KafkaRelease = { line: '4', version: '', java: '', classpath: '' }
