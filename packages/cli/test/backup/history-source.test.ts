import { exportToSqlite } from '@varve/backup'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { withHistory } from '../../src/backup/history-source.ts'
import { makeHistory } from '../history-fixture.ts'

test('a repository, a data directory and an export give the same history', async () => {
  using root = makeTemporaryDirectory()
  await makeHistory(root.path)
  const at = (name: string): string => `${root.path}/${name}`
  const seen: unknown[] = []
  for (const name of ['repository', 'data', 'orders.db']) {
    await withHistory({ repository: at(name), backup: 'latest' }, async (opened) => {
      const { history, settings } = opened
      const groups = await opened.groups()
      if (name === 'data')
        await exportToSqlite(history, at('orders.db'), {
          groups,
          settings: settings as Map<string, object>,
        })
      const partitions = history.partitions.filter(({ topic }) => topic === 'orders')
      const places = partitions.map(({ partition, topicId, endOffset }) => [
        partition,
        topicId,
        endOffset,
      ])
      seen.push([places, settings.get('orders'), groups])
    })
  }
  expect(seen[1]).toEqual(seen[0])
  expect(seen[2]).toEqual(seen[0])
  await expect(
    withHistory({ repository: at('nothing'), backup: 'latest' }, async () => 0),
  ).rejects.toThrow(/no backup repository/)
})
