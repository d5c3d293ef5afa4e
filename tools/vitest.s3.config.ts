import { defineConfig } from 'vitest/config'

// Backups in buckets of real S3 servers, which are started for it from Debian's packages: needs apt
// and, the first time, a network. The servers are given to the tests in VARVE_S3_SERVERS.
export default defineConfig({
  ssr: { resolve: { conditions: ['@varve/source', 'node'] } },
  test: {
    include: ['packages/*/test/**/*.s3.ts'],
    globalSetup: ['tools/test/s3/start-servers.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
    reporters: ['verbose'],
  },
})
