import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { BenchmarkContext } from '../../src/harness/benchmark.ts'
import { type Contender, hold, holdField } from '../../src/harness/contest.ts'
import { holdGrowth } from '../../src/harness/growth.ts'

function contextOf(repeat: number, isSmoke = false): BenchmarkContext {
  const options = { isSmoke, repeat, scale: 'small', dataDirectory: tmpdir() } as const
  return new BenchmarkContext({ ...options, onProgress: () => {} })
}

/** Says when it was measured, and gives one value after the other. */
function contender(name: string, values: readonly number[], order: string[] = []): Contender {
  let next = 0
  return {
    name,
    measure: async () => {
      order.push(name)
      const value = values[next++ % values.length] ?? 0
      return { value, hash: 'same', aside: { 'loop busy': value / 100 } }
    },
  }
}

test('a contest takes turns, and its first round is not counted', async () => {
  const order: string[] = []
  const figure = await hold(contextOf(3), {
    name: 'work',
    unit: 'MB/s',
    measured: contender('ours', [1, 30, 20, 40], order),
    limit: contender('limit', [1, 60, 40, 50], order),
    bar: { kind: 'ratio', atLeast: 0.6 },
  })
  expect(order).toEqual(Array.from({ length: 4 }, () => ['limit', 'ours']).flat())
  expect(figure.value).toMatchObject({ median: 30, min: 20, max: 40, samples: [30, 20, 40] })
  expect(figure.limit?.ratioOfMedians).toBeCloseTo(0.6)
  expect(figure.limit?.pairwiseRatio.samples).toEqual([0.5, 0.5, 0.8])
  expect(figure.verdict?.isMet).toBe(true)
  expect(figure.aside?.[0]).toMatchObject({ name: 'loop busy', value: { median: 0.3 } })
})

test('a field begins each round with another one, and sets the measured one beside each', async () => {
  const order: string[] = []
  const figures = await holdField(contextOf(2), {
    name: 'work',
    unit: 'ms',
    measured: contender('a', [5], order),
    rivals: [
      { ...contender('b', [10], order), bar: { kind: 'ratio', atLeast: 2 } },
      contender('c', [4], order),
    ],
  })
  expect(order.join('')).toBe('abcbcacab')
  expect(figures.map(({ name }) => name)).toEqual(['work, beside b', 'work, beside c'])
  expect(figures.map(({ limit }) => limit?.ratioOfMedians)).toEqual([2, 0.8])
  expect(figures.map(({ verdict }) => verdict?.isMet ?? null)).toEqual([true, null])
})

test('a second one of ours is set beside rivals that took part, without being measured again', async () => {
  const order: string[] = []
  const [ours, asked] = [contender('ours, otherwise', [8], order), contender('peer', [4], order)]
  const figures = await holdField(contextOf(1), {
    name: 'work',
    unit: 'MB/s',
    measured: contender('ours', [2], order),
    rivals: [ours, asked],
    second: { measured: ours, rivals: [{ ...asked, bar: { kind: 'ratio', atLeast: 1 } }] },
  })
  expect(order).toHaveLength(2 * 3)
  const last = figures.at(-1)
  expect(last?.name).toBe('work: ours, otherwise, beside peer')
  expect(last?.limit?.ratioOfMedians).toBe(2)
  expect(last?.verdict?.isMet).toBe(true)
})

test('one that did other work than the others is found out', async () => {
  const wrong = { name: 'wrong', measure: async () => ({ value: 1, hash: 'other' }) }
  const contest = { name: 'work', unit: 'ms', measured: contender('a', [5]), limit: wrong } as const
  await expect(hold(contextOf(1, true), contest)).rejects.toThrow('has the same result')
})

test('growth measures every size in every round, fits an exponent, and closes what it made', async () => {
  const events: string[] = []
  const figures = await holdGrowth<number>(contextOf(2, true), {
    along: 'items',
    sizes: [1, 10, 100],
    conditions: { kind: 'none' },
    prepare: async (size) => {
      events.push(`make ${size}`)
      return size
    },
    close: async (size) => void events.push(`close ${size}`),
    curves: [
      {
        name: 'work',
        unit: 'ms',
        exponentAtMost: 1,
        measure: async (size) => ({ value: 3 * size ** 2, hash: String(size) }),
      },
    ],
  })
  expect(events).toEqual(
    [1, 10, 100].map((n) => `make ${n}`).concat(['close 1', 'close 10', 'close 100']),
  )
  expect(figures.map(({ value }) => Math.round(value.median))).toEqual([3, 300, 30_000, 2])
  expect(figures[1]?.plot).toEqual({ curve: 'work', along: 'items', at: 10 })
  expect(figures[3]).toMatchObject({ unit: 'exponent', verdict: { isMet: false } })
})

test('of a benchmark whose figures take long, some can be measured by themselves', async () => {
  const options = { isSmoke: true, repeat: 1, scale: 'small', dataDirectory: tmpdir() } as const
  const context = new BenchmarkContext({
    ...options,
    only: ['open', 'memory'],
    onProgress: () => {},
  })
  const curve = (name: string) => {
    return { name, unit: 'ms', measure: async () => ({ value: 1, hash: name }) } as const
  }
  const figures = await holdGrowth<null>(context, {
    along: 'items',
    sizes: [1, 2],
    conditions: {},
    prepare: async () => null,
    close: async () => {},
    curves: [curve('clean opening'), curve('appending'), curve('resident memory')],
  })
  const curves = figures.flatMap(({ plot }) => plot?.curve ?? [])
  expect([...new Set(curves)]).toEqual(['clean opening', 'resident memory'])
})
