import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { retention } from '../src/cleaner/retention.bench.ts'
import { type Benchmark, BenchmarkContext } from '../src/harness/benchmark.ts'
import { compressedLog } from '../src/log/compressed-log.bench.ts'
import { flushedBatches } from '../src/log/flushed-batches.bench.ts'
import { opening } from '../src/log/opening.bench.ts'
import { reading } from '../src/log/reading.bench.ts'
import { recovery } from '../src/log/recovery.bench.ts'
import { peersReading } from '../src/peers/peers-reading.bench.ts'

async function hashesOf(benchmark: Benchmark): Promise<readonly string[]> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'varve-same-'))
  try {
    const options = { isSmoke: true, repeat: 1, scale: 'small', dataDirectory } as const
    const figures = await benchmark.run(new BenchmarkContext({ ...options, onProgress: () => {} }))
    return figures.map(({ name, hash }) => `${name}: ${hash}`)
  } finally {
    rmSync(dataDirectory, { recursive: true, force: true })
  }
}

// Each of them fails by itself where a limit, or a peer, has another result than Varve.
test.each([flushedBatches, reading, compressedLog, recovery, opening, retention, peersReading])(
  'two runs of $name have the same hashes, which are of something',
  async (benchmark) => {
    const hashes = await hashesOf(benchmark)
    expect(hashes.length).toBeGreaterThan(0)
    for (const hash of hashes) expect(hash).toMatch(/: [0-9a-f]{8}$/)
    expect(await hashesOf(benchmark)).toEqual(hashes)
  },
  60_000,
)
