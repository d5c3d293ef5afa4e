import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { seedFromEnvironment } from '../../src/testing/random.ts'
import { killAgainAndAgain } from './kill-run.ts'

const compiled = fileURLToPath(new URL('../../dist/testing/index.js', import.meta.url))

// `npm test` compiles first; without that there is nothing to start.
test.skipIf(!existsSync(compiled))(
  'whatever a process was told before it was killed is true afterwards',
  async () => {
    const counts = await killAgainAndAgain(5, seedFromEnvironment('kill.test.ts'))
    expect(counts.acknowledgements).toBeGreaterThan(0)
    expect(counts.records).toBeGreaterThan(0)
  },
)
