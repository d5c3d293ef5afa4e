import type { TestProject } from 'vitest/node'
import {
  type KafkaAvailability,
  type KafkaLine,
  kafkaRelease,
  pinnedKafkaVersions,
} from '../../src/kafka/kafka-release.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    readonly kafka: Readonly<Record<KafkaLine, KafkaAvailability>>
  }
}

/**
 * Fetches the releases once, before any test file runs. Where one can't be had its tests are
 * skipped, unless VARVE_REQUIRE_KAFKA=1 says that they must run (as in continuous integration).
 */
export default async function fetchKafka(project: TestProject): Promise<void> {
  const kafka = { '3.9': await kafkaRelease('3.9'), '4': await kafkaRelease('4') }
  for (const line of ['3.9', '4'] as const) {
    const availability = kafka[line]
    if (availability.available) continue
    const what = `Apache Kafka ${pinnedKafkaVersions[line]} is not available`
    if (process.env['VARVE_REQUIRE_KAFKA'] === '1')
      throw new Error(`${what}: ${availability.reason}`)
    console.warn(`${what}, its tests are skipped: ${availability.reason}`)
  }
  project.provide('kafka', kafka)
}
