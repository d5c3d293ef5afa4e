import { expect, test } from 'vitest'
import { queueStateTopic } from '../../src/base/topic-names.ts'
import type { DirectoryVarve } from '../../src/directory-varve.ts'
import { CorruptQueueStateError } from '../../src/queues/queue-errors.ts'
import { encodeQueueStateKey } from '../../src/queues/queue-state-schema.ts'
import { errorOf, type Machine, newMachine, openOn, turns } from '../broker-fixture.ts'

/** Two queues with a finished record and one that is not; the first has damaged state. */
async function makeDamaged(bucket: number | null): Promise<Machine> {
  const machine = newMachine()
  await using varve = await openOn(machine)
  for (const name of ['mail', 'other']) {
    const queue = await varve.queue(name)
    for (const value of ['a', 'b']) await queue.enqueue({ value })
    await turns(20)
    await (await queue.dequeue())?.acknowledge()
  }
  const { topicId } = await varve.describeTopic('mail')
  const key = encodeQueueStateKey({ queue: 'mail', topicId, partition: 0, bucket })
  await varve.log(queueStateTopic, 0).append({ key, value: 'rotten' })
  return machine
}

async function next(varve: DirectoryVarve, name: string): Promise<string> {
  return String((await (await varve.queue(name)).dequeue({ waitMs: 0 }))?.record.value)
}

test.each([null, 0])(
  'damage in bucket %s keeps one queue from being opened, no other',
  async (at) => {
    const machine = await makeDamaged(at)
    await using varve = await openOn(machine)
    const other = await varve.queue('other')
    await turns(20)
    expect(String((await other.dequeue())?.record.value)).toBe('b')
    const error = await errorOf(varve.queue('mail'), CorruptQueueStateError)
    expect(error).toMatchObject({ queue: 'mail', partition: 0, code: 'VARVE_CORRUPT_QUEUE_STATE' })
    expect(error.hint).toContain('redeliver')
    const [record] = (await varve.log(queueStateTopic, 0).read({ from: error.stateOffset })).batches
    expect([...(record?.records() ?? [])].map(({ value }) => String(value))).toContain('rotten')
  },
)

test.each([null, 0])(
  'without what is damaged in bucket %s a queue goes on, for good',
  async (at) => {
    const machine = await makeDamaged(at)
    {
      await using varve = await openOn(machine)
      await errorOf(varve.queue('mail'), CorruptQueueStateError)
      const queue = await varve.queue('mail', { whenStateCorrupt: 'redeliver', startAt: 'latest' })
      await turns(20)
      expect(queue.length).toBe(at === null ? 1 : 2)
      expect(await next(varve, 'mail')).toBe(at === null ? 'b' : 'a')
    }
    await using again = await openOn(machine)
    const queue = await again.queue('mail')
    await turns(20)
    expect(queue.length).toBe(at === null ? 1 : 2)
  },
)

test('a record that says nothing of whose it is keeps no queue from being opened', async () => {
  const machine = newMachine()
  {
    await using varve = await openOn(machine)
    await varve.queue('mail')
    await varve.log(queueStateTopic, 0).append([{ key: 'x', value: 'y' }, { value: 'z' }])
  }
  const errors: unknown[] = []
  const ignore = () => undefined
  const logger = {
    ...{ debug: ignore, info: ignore, warn: ignore },
    error: (fields: unknown) => void errors.push(fields),
  }
  await using varve = await openOn(machine, { logger })
  await varve.queue('mail')
  expect(errors).toMatchObject([{ err: { code: 'VARVE_CORRUPT_GROUP_RECORD' } }])
})
