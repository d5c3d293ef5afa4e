import { expect, test } from 'vitest'
import { DirectoryStats } from '../../src/stats/directory-stats.ts'
import { StatsWatch } from '../../src/stats/stats-watch.ts'
import { newPath, openData } from '../group-fixture.ts'

test('each look shows what came since: topics, records, rates and groups', async () => {
  const data = newPath()
  await using varve = await openData(data)
  await using source = new DirectoryStats(data, false)
  const watch = new StatsWatch(source)
  const look = async (seconds: number) => {
    const { topics, groups } = await watch.look({ now: 0, monotonic: seconds * 1000 })
    const rates = topics.map(({ topic, records, recordsPerSecond }) => {
      return [topic, records, recordsPerSecond]
    })
    return { rates, groups }
  }
  await varve.createTopic('orders', { partitions: 2 })
  const producer = varve.producer()
  await producer.send('orders', [{ value: 'a' }, { value: 'b' }], { partition: 1 })
  expect(await look(0)).toEqual({ rates: [['orders', 2, null]], groups: [] })
  await producer.send('orders', [{ value: 'c' }, { value: 'd' }], { partition: 1 })
  await producer.send('orders', [{ value: 'e' }, { value: 'f' }], { partition: 0 })
  await varve.createTopic('new')
  await producer.send('new', [{ value: 'a' }, { value: 'b' }])
  const groups = await varve.groups()
  await groups.resetOffsets('billing', [{ topic: 'orders', partition: 1, offset: 1 }])
  expect(await look(2)).toEqual({
    rates: [
      ['new', 2, 1],
      ['orders', 6, 2],
    ],
    groups: [{ group: 'billing', lag: 3 }],
  })
  await varve.deleteTopic('orders')
  expect((await look(3)).rates).toEqual([['new', 2, 0]])
})
