import { defineConfig } from 'vitest/config'

// Tests run from TypeScript source: `@varve/source` is the private export condition that every
// package declares beside `default` (its compiled `dist`).
export default defineConfig({
  ssr: { resolve: { conditions: ['@varve/source', 'node'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'tools/test/**/*.test.ts'],
    // These need Java and a released Apache Kafka: tools/vitest.interop.config.ts runs them.
    exclude: ['**/node_modules/**', '**/*.interop.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
  },
})
