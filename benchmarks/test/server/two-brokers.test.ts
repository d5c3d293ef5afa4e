import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { BenchmarkContext } from '../../src/harness/benchmark.ts'
import { type AskedFigure, figuresBeside } from '../../src/server/two-brokers.ts'

const asked: readonly AskedFigure[] = [
  { name: 'producing', unit: 'records/s', bar: { kind: 'ratio', atLeast: 0.8 } },
  { name: 'waiting', unit: 'ms', bar: { kind: 'value', atMost: 50 } },
]

function contextOf(repeat: number): BenchmarkContext {
  const options = { isSmoke: false, repeat, scale: 'small', dataDirectory: tmpdir() } as const
  return new BenchmarkContext({ ...options, onProgress: () => {} })
}

/** Each value is ten times the one before; the second figure's is a thousandth. */
function counting(order: string[]) {
  const last = new Map<string, number>()
  return async ({ name }: { readonly name: string }) => {
    order.push(name)
    const value = (last.get(name) ?? 10) * 10
    last.set(name, value)
    return [value, value / 1000].map((one) => ({ value: one, hash: 'same' }))
  }
}

test('several figures are made of each measurement, and the two brokers take turns', async () => {
  const order: string[] = []
  const pair = { varve: { name: 'Varve' }, kafka: { name: 'Kafka' }, conditions: { by: 'a test' } }
  const figures = await figuresBeside(contextOf(3), pair, asked, counting(order))
  expect(order).toEqual(Array.from({ length: 4 }, () => ['Kafka', 'Varve']).flat())
  expect(figures.map(({ value }) => value.samples)).toEqual([
    [1_000, 10_000, 100_000],
    [1, 10, 100],
  ])
  expect(figures.map(({ limit }) => limit?.name)).toEqual(['Kafka', 'Kafka'])
  expect(figures.map(({ limit }) => limit?.ratioOfMedians)).toEqual([1, 1])
  expect(figures.map(({ verdict }) => verdict?.isMet)).toEqual([true, true])
  expect(figures[0]?.conditions).toEqual({ by: 'a test' })
})

test('without Kafka nothing is asked that needs it', async () => {
  const order: string[] = []
  const pair = { varve: { name: 'Varve' }, kafka: null, conditions: {} }
  const figures = await figuresBeside(contextOf(1), pair, asked, counting(order))
  expect(order).toEqual(['Varve', 'Varve'])
  expect(figures.map(({ limit, bar }) => [limit, bar?.kind ?? null])).toEqual([
    [null, null],
    [null, 'value'],
  ])
})
