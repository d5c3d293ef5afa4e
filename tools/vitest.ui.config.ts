import { defineConfig } from 'vitest/config'

// The page of `varve serve --ui` in a real Chromium, the machine's or Debian's: then it needs apt
// and, the first time, a network.
export default defineConfig({
  ssr: { resolve: { conditions: ['@varve/source', 'node'] } },
  test: {
    include: ['tools/test/ui/*.ui.ts'],
    testTimeout: 60_000,
    hookTimeout: 360_000,
    pool: 'forks',
    maxWorkers: 1,
    reporters: ['verbose'],
  },
})
