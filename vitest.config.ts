import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** These replace a module, or measure their process's memory: each has a process to itself. */
const alone = [
  'benchmarks/test/soak/growth-judge.test.ts',
  'packages/backup/test/taking/damage.test.ts',
  'packages/cli/test/dump/batch-stream.test.ts',
  'packages/log/test/storage/directory-lock-native.test.ts',
  'packages/record/test/compression/compression.test.ts',
  'packages/record/test/compression/zstd.test.ts',
  'packages/record/test/hostile-bytes.test.ts',
  'packages/server/test/hostile/memory.test.ts',
  'packages/server/test/protocol/hostile-memory.test.ts',
]

// Tests run from TypeScript source: `@varve/source` is the private export condition that every
// package declares beside `default` (its compiled `dist`).
export default defineConfig({
  ssr: { resolve: { conditions: ['@varve/source', 'node'] } },
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // About half of what tests take is waiting: for processes, disks and timers.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: [
            'packages/*/test/**/*.test.ts',
            'benchmarks/test/**/*.test.ts',
            'tools/test/**/*.test.ts',
          ],
          // Interoperability needs Java and a released Kafka: tools/vitest.interop.config.ts.
          exclude: ['**/node_modules/**', '**/*.interop.test.ts', ...alone],
          // One process runs many files: loading the packages anew for each takes longer than most
          // of them.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
})
