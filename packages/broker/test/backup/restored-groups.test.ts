import { expect, test } from 'vitest'
import { backedUp, committed, newPath, open, restore, send } from './restore-fixture.ts'

test('takes committed offsets back that lie beyond a restored end, and says so', async () => {
  const backed = await backedUp()
  const to = newPath('restored')
  const offsets = new Map([['orders-0', 6]])
  const { notes } = await restore(backed, { to, point: { kind: 'offsets', offsets } })
  expect(notes).toEqual(['group billing goes on at 6 of orders-0, its end: it had committed 8'])
  await using varve = await open(to)
  expect(await committed(varve)).toEqual({ orders: 6, users: 5 })
  // What comes next is not left out.
  await send(varve, 'orders', 100, 101)
  const consumer = varve.consumer({ group: 'billing', topics: ['orders'], follow: false })
  const found: string[] = []
  for await (const record of consumer) found.push(String(record.value))
  expect(found).toEqual(['orders 100'])
})

test('what is left out leaves no committed offsets behind', async () => {
  const backed = await backedUp()
  const to = newPath('restored')
  await restore(backed, { to, select: (topic) => topic !== 'users' })
  await using varve = await open(to)
  expect(await varve.listTopics()).toEqual(['orders'])
  expect(await committed(varve)).toEqual({ orders: 8 })
})
