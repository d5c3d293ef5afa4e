import { defineConfig } from 'vitest/config'

// The long forms of random tests: millions of hostile inputs, every crash of every scenario. Each
// file has a process of its own, so that one may measure its memory; two at a time.
export default defineConfig({
  ssr: { resolve: { conditions: ['@varve/source', 'node'] } },
  test: {
    include: ['packages/*/test/**/*.campaign.ts'],
    testTimeout: 900_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['verbose'],
  },
})
