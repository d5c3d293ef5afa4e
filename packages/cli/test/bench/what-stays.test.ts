import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { tellingWhatStays } from '../../src/bench/what-stays.ts'
import { run } from '../captured-io.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

const nothing = { measurements: [], conditions: {}, notes: ['a note'] }

describe('a topic with a name', () => {
  const argv = ['bench', 'produce', '--topic', 'orders', '--records', '5', '--warmup', '0']

  test('goes, and what made a data directory of a directory is named', async () => {
    const data = `${temporary.path}/new`
    const first = await run(...argv, '--data', data)
    expect(first.code).toBe(0)
    expect(first.out).toMatch(/new is a data directory now: .*varve-catalogue.* stay there/)
    const again = await run(...argv, '--data', data)
    expect(again.code).toBe(0)
    expect(again.out).not.toContain('stay there')
  })

  test('that is kept is told as kept', async () => {
    const { out } = await run(...argv, '--data', `${temporary.path}/kept`, '--keep')
    expect(out).toContain('kept: the topic orders in ')
    expect(/is a data directory now: (.*) stay there/.exec(out)?.[1]).not.toContain('orders')
  })
})

test('without a name, and on a cluster, nothing is looked for', async () => {
  for (const where of [
    { data: temporary.path, topic: null },
    { data: 'kafka://host:9092', topic: 'orders' },
  ]) {
    expect(await tellingWhatStays(where, async () => nothing)).toBe(nothing)
  }
})
