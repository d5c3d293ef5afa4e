import { expect, test } from 'vitest'
import type { Consumer } from '../../src/consuming/consumer.ts'
import type { DirectoryVarve } from '../../src/directory-varve.ts'
import { newMachine, openOn, turns } from '../broker-fixture.ts'

const group = { group: 'g', topics: ['t'], follow: false } as const

async function open(): Promise<DirectoryVarve> {
  const varve = await openOn(newMachine(), { cleaning: false })
  await varve.createTopic('t', { partitions: 2 })
  await varve.log('t', 0).append({ value: 'a' })
  return varve
}

async function members(varve: DirectoryVarve): Promise<number> {
  return (await (await varve.groups()).describe('g')).members.length
}

test('a consumer that has ended and commits by itself is no member any more', async () => {
  await using varve = await open()
  const consumer = varve.consumer({ ...group, autoCommitMs: 1000 })
  for await (const record of consumer) expect(String(record.value)).toBe('a')
  expect(await members(varve)).toBe(0)
  const next = varve.consumer(group)
  expect((await next.next()).done).toBe(true)
})

test('one that commits each record is no member any more either', async () => {
  await using varve = await open()
  const consumer = varve.consumer(group)
  for await (const record of consumer) await consumer.commit(record)
  expect(await members(varve)).toBe(0)
})

test('one that has not committed yet can do so, and then its partitions are given on', async () => {
  await using varve = await open()
  const consumer = varve.consumer(group)
  for await (const record of consumer) expect(String(record.value)).toBe('a')
  expect(await members(varve)).toBe(1)
  const other = varve.consumer({ ...group, follow: true })
  const next = other.next()
  await turns(100)
  await consumer.commit()
  await varve.log('t', 0).append({ value: 'b' })
  expect(String((await next).value?.value)).toBe('b')
  expect(await members(varve)).toBe(1)
  expect(other.partitions).toHaveLength(2)
})

test('one that never commits is out when it has not been asked for long enough', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine, { cleaning: false })
  await varve.createTopic('t')
  await varve.log('t', 0).append({ value: 'a' })
  const consumer = varve.consumer({ ...group, maxPollIntervalMs: 1000 })
  for await (const record of consumer) expect(String(record.value)).toBe('a')
  machine.clock.advance(999)
  await turns(50)
  expect(await members(varve)).toBe(1)
  machine.clock.advance(1)
  await turns(50)
  expect(await members(varve)).toBe(0)
})

test('what is committed as its partitions are taken away does not wait for itself', async () => {
  await using varve = await open()
  const commit = (): Promise<void> => consumer.commit()
  const consumer: Consumer = varve.consumer({ ...group, onRevoked: commit })
  for await (const record of consumer) expect(String(record.value)).toBe('a')
  await consumer.close()
  expect(await members(varve)).toBe(0)
  const next = varve.consumer(group)
  expect((await next.next()).done).toBe(true)
})
