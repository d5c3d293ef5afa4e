import { defineConfig } from 'vitest/config'

// The style of the repository as tests: they read the files under version control, run none of
// them, and say with each finding what to do instead.
export default defineConfig({
  test: { include: ['tools/test/tidy/**/*.tidy.ts'], testTimeout: 60_000 },
})
