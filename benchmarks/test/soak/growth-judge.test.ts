import { closeSync, openSync } from 'node:fs'
import { SeededRandom } from '@varve/bench'
import { expect, test } from 'vitest'
import { judgeGrowth, type SoakSample } from '../../src/soak/growth-judge.ts'
import { readProcessGauges } from '../../src/soak/process-gauges.ts'

const MiB = 2 ** 20
const perRound = 1_500

/** Samples of a process that takes some memory at first, with noise, and then what is given. */
function samplesOf(growth: (operations: number) => Partial<SoakSample>): SoakSample[] {
  const random = new SeededRandom(17)
  const noise = (most: number): number => random.integer(most)
  return Array.from({ length: 24 }, (_, round) => {
    const operations = (round + 1) * perRound
    const warmUp = Math.min(round, 5) * MiB
    const grown = growth(operations)
    return {
      operations,
      heapUsedBytes: 15 * MiB + warmUp + noise(MiB / 2) + (grown.heapUsedBytes ?? 0),
      externalBytes: 5 * MiB + warmUp + noise(MiB / 2) + (grown.externalBytes ?? 0),
      residentBytes: 100 * MiB + 10 * warmUp + noise(12 * MiB) + (grown.residentBytes ?? 0),
      descriptors: 40 + noise(4) + (grown.descriptors ?? 0),
      resources: noise(2) + (grown.resources ?? 0),
    }
  })
}

const growing = (samples: readonly SoakSample[]): string[] =>
  judgeGrowth(samples).flatMap(({ gauge, isFlat }) => (isFlat ? [] : [gauge]))

test('a process that takes memory at first and then has its ups and downs is flat', () => {
  expect(growing(samplesOf(() => ({})))).toEqual([])
})

test.each([
  ['heapUsedBytes', 250],
  ['externalBytes', 250],
  ['residentBytes', 2_000],
  ['descriptors', 1 / perRound],
  ['resources', 1 / perRound],
] as const)('a leak in %s, of %d for each operation, is found and nothing else', (gauge, each) => {
  const leaking = samplesOf((operations) => ({ [gauge]: Math.floor(operations * each) }))
  expect(growing(leaking)).toEqual([gauge])
  const found = judgeGrowth(leaking).find((growth) => growth.gauge === gauge)
  expect(found?.perMillionOperations).toBeGreaterThan(each * 1e6 * 0.7)
  expect(found?.perMillionOperations).toBeLessThan(each * 1e6 * 1.3)
})

test('one sample that was taken at a bad moment is no growth', () => {
  const last = 24 * perRound
  const samples = samplesOf((operations) => ({
    heapUsedBytes: operations === last ? 60 * MiB : 0,
    descriptors: operations === last ? 200 : 0,
  }))
  expect(growing(samples)).toEqual([])
})

test('too few samples are not judged', () => {
  expect(() => judgeGrowth(samplesOf(() => ({})).slice(0, 6))).toThrow('too few')
})

test('what a process really keeps is seen: objects, buffers, descriptors, timers', async () => {
  const kept: unknown[] = []
  const opened: number[] = []
  const timers: NodeJS.Timeout[] = []
  const samples: SoakSample[] = []
  for (let round = 1; round <= 16; round++) {
    kept.push(Array.from({ length: 10_000 }, (_, object) => ({ round, object: `${object}` })))
    kept.push(Buffer.alloc(300_000, round))
    opened.push(openSync('/dev/null', 'r'))
    timers.push(setTimeout(() => undefined, 600_000))
    samples.push({ operations: round * perRound, ...(await readProcessGauges()) })
  }
  for (const descriptor of opened) closeSync(descriptor)
  for (const timer of timers) clearTimeout(timer)
  expect(kept).toHaveLength(16 * 2)
  expect(growing(samples)).toEqual(
    expect.arrayContaining(['heapUsedBytes', 'externalBytes', 'descriptors', 'resources']),
  )
})
