import { defineConfig } from 'vitest/config'

// Clients that nobody here wrote, against a served data directory: needs the registries of their
// languages the first time. Run `npx tsc -b` first: servers are processes of their own.
export default defineConfig({
  ssr: { resolve: { conditions: ['@varve/source', 'node'] } },
  test: {
    include: ['tools/test/**/*.clients.ts'],
    globalSetup: ['tools/test/clients/fetch-clients.ts'],
    testTimeout: 180_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 3,
    reporters: ['verbose'],
  },
})
