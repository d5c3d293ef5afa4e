import { expect, test } from 'vitest'
import { errorOf, newMachine, openOn, turns } from '../broker-fixture.ts'

const group = { group: 'g', topics: ['t'], maxPollIntervalMs: 1000 } as const

test('a member of a run whose handler does not end leaves, and comes back when it does', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine, { cleaning: false })
  await varve.createTopic('t')
  for (const value of ['a', 'b']) await varve.log('t', 0).append({ value })
  const stuck = varve.consumer({ ...group, clientId: 'stuck' })
  let end: () => void = () => undefined
  const seen: string[] = []
  let isTold = false
  const running = stuck.run({
    handler: async ({ value }, { signal }) => {
      seen.push(String(value))
      signal.addEventListener('abort', () => {
        isTold = true
      })
      if (seen.length === 1) await new Promise<void>((resolve) => (end = resolve))
    },
  })
  while (seen.length === 0) await turns(1)
  const idle = varve.consumer({ ...group, clientId: 'idle' })
  const handled: string[] = []
  const other = idle.run({ handler: ({ value }) => void handled.push(String(value)) })
  await turns(200)
  machine.clock.advance(999)
  await turns(200)
  expect(isTold).toBe(false)
  expect(handled).toEqual([])
  machine.clock.advance(1)
  for (let turn = 0; turn < 5000 && handled.length < 2; turn++) {
    await turns(1)
    if (turn % 100 === 99) machine.clock.advance(100)
  }
  expect(handled).toEqual(['a', 'b'])
  expect(isTold).toBe(true)
  expect(stuck.partitions).toEqual([])
  await idle.close()
  await other
  await turns(200)
  expect(stuck.partitions).toEqual([])
  end()
  await varve.log('t', 0).append({ value: 'c' })
  while (seen.length < 2) await turns(1)
  expect(seen).toEqual(['a', 'c'])
  await stuck.close()
  await running
})

test('a member whose handlers keep up stays, however many records wait for them', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine, { cleaning: false })
  await varve.createTopic('t')
  for (let index = 0; index < 40; index++) await varve.log('t', 0).append({ value: String(index) })
  const lost: unknown[] = []
  const consumer = varve.consumer({ ...group, onLost: (places) => void lost.push(places) })
  let count = 0
  const running = consumer.run({
    handler: async () => {
      await turns(2)
      machine.clock.advance(600)
      count += 1
    },
  })
  while (count < 40) await turns(1)
  await consumer.close()
  await running
  expect(lost).toEqual([])
})

test('a handler may wait for its consumer to close: the run ends, with its record committed', async () => {
  await using varve = await openOn(newMachine())
  await varve.createTopic('t')
  for (const value of ['a', 'b']) await varve.log('t', 0).append({ value })
  const consumer = varve.consumer({ group: 'g', topics: ['t'] })
  const seen: string[] = []
  await consumer.run({
    handler: async ({ value }) => {
      seen.push(String(value))
      await consumer.close()
    },
  })
  expect(seen).toEqual(['a'])
  const next = varve.consumer({ group: 'g', topics: ['t'] })
  expect(String((await next.next()).value?.value)).toBe('b')
})

test('what goes wrong when a run that was told to end is closed is told by the run', async () => {
  await using varve = await openOn(newMachine())
  await varve.createTopic('t')
  await varve.log('t', 0).append({ value: 'a' })
  const onRevoked = (): void => {
    throw new RangeError('not let go of')
  }
  const consumer = varve.consumer({ group: 'g', topics: ['t'], onRevoked })
  const run = consumer.run({ handler: () => consumer.close() })
  await errorOf(run, RangeError)
})
