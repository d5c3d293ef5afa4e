import { defineConfig } from 'vitest/config'

// Interoperability with released Apache Kafka: needs Java, and Maven the first time. Each file runs
// brokers of its own, so two at a time is what a small machine bears.
export default defineConfig({
  ssr: { resolve: { conditions: ['@varve/source', 'node'] } },
  test: {
    include: ['tools/test/**/*.interop.test.ts'],
    globalSetup: [
      'tools/test/kafka-interop/fetch-kafka.ts',
      'tools/test/kafka-interop/fetch-beside.ts',
    ],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['verbose'],
  },
})
