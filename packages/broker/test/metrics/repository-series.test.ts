import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { BackupCounters } from '../../src/metrics/backup-counters.ts'
import { RepositoryGauges } from '../../src/metrics/repository-gauges.ts'
import { RepositorySeries } from '../../src/metrics/repository-series.ts'

test('what a repository had and has not any more is not shown any more', async () => {
  const registry = new Registry()
  const series = new RepositorySeries(registry)
  series.add('size', 'Its size.', ['repository', 'source'], async () => {})
  for (const source of ['a', 'b']) series.set('size', { repository: 'one', source }, 1)
  series.set('size', { repository: 'two', source: 'a' }, 2)
  series.clear('one')
  series.set('size', { repository: 'one', source: 'b' }, 3)
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('size'))
  expect(lines).toEqual([
    'size{repository="two",source="a"} 2',
    'size{repository="one",source="b"} 3',
  ])
  expect([series.has('size'), series.has('weight')]).toEqual([true, false])
})

test('names that are not theirs are nobody’s', async () => {
  const registry = new Registry()
  const counters = new BackupCounters(registry)
  const gauges = new RepositoryGauges(registry)
  const before = await registry.metrics()
  for (const metrics of [counters, gauges]) metrics.restore('varve_other', { repository: 'a' }, 1)
  counters.close()
  expect(await registry.metrics()).toBe(before)
})
