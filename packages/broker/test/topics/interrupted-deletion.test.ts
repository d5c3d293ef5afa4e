import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { renameDeleted } from '../../src/topics/interrupted-deletion.ts'

test('what is left of deleted topics gets the name of what is removed, and nothing else does', async () => {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/data')
  for (const name of ['gone-0', 'gone-1', 'stays-0', 'other']) {
    fs.makeDirectory(`/data/${name}`)
  }
  const entry = { topicId: 'AAAAAAAAAAAAAAAAAAAABw', partitions: 2, made: 2, settings: {} }
  await renameDeleted(fs, '/data', [
    { ...entry, name: 'gone', isDeleting: true },
    { ...entry, name: 'stays', isDeleting: false },
  ])
  const names = [...fs.list('/data')].sort()
  expect(names.filter((name) => !name.endsWith('-delete'))).toEqual(['other', 'stays-0'])
  expect(names.filter((name) => /^gone-[01]\.[0-9a-f]{32}-delete$/.test(name))).toHaveLength(2)
})
