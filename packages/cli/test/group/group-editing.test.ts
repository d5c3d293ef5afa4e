import { GroupNotFoundError } from '@varve/broker'
import { LogLockedError } from '@varve/log'
import { expect, test } from 'vitest'
import { editGroup } from '../../src/group/group-editing.ts'
import { makeGroupData, openData } from '../group-fixture.ts'

test('a group is changed with the data directory locked, which is free again after that', async () => {
  const data = await makeGroupData()
  const committed = await editGroup(data, 'billing', async ({ store }) => {
    await expect(openData(data)).rejects.toBeInstanceOf(LogLockedError)
    return store.committed('billing', 'orders', 0)?.offset
  })
  expect(committed).toBe(3)
  const failed = editGroup(data, 'billing', () => Promise.reject(new Error('no')))
  await expect(failed).rejects.toThrow('no')
  await using _varve = await openData(data)
  await expect(editGroup(data, 'other', async () => 1)).rejects.toBeInstanceOf(GroupNotFoundError)
})
