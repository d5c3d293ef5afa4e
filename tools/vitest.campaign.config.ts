import { defineConfig } from 'vitest/config'

// The long forms of the crash, fault and kill tests: minutes of both processors.
// VARVE_CAMPAIGN_SCALE takes a part of them.
// Run `npx tsc -b` first: the kill campaign starts compiled processes.
export default defineConfig({
  ssr: { resolve: { conditions: ['@varve/source', 'node'] } },
  test: {
    include: ['packages/*/test/**/*.campaign.ts', 'tools/test/**/*.campaign.ts'],
    testTimeout: 600_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // By default one processor is left free.
    maxWorkers: '100%',
    reporters: ['verbose'],
  },
})
