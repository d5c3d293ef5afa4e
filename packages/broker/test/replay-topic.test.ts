import { expect, test } from 'vitest'
import { toDeadLetter } from '../src/handling/dead-letter.ts'
import { replayTopic } from '../src/replay-topic.ts'
import { newMachine, openOn, valuesOf } from './broker-fixture.ts'

test('letters go back once in the name of each group, those that are chosen', async () => {
  await using varve = await openOn(newMachine())
  await varve.createTopic('orders', { partitions: 2 })
  await varve.createTopic('dead')
  const producer = varve.producer()
  for (const [offset, value] of ['a', 'b'].entries()) {
    const place = { topic: 'orders', partition: 1, offset, timestamp: 5 }
    const record = { ...place, key: null, value: Buffer.from(value), headers: [] }
    const failure = { attempts: 3, error: new Error('no'), timestamp: 9 }
    await producer.send('dead', toDeadLetter(record, failure))
  }
  await producer.send('dead', { value: 'no letter' })
  const options = {
    select: ({ offset }: { readonly offset: number }) => offset === 1,
    toOriginalPartition: true,
  }
  expect(await replayTopic(varve, 'dead', options)).toEqual({ replayed: 1, passedOver: 2 })
  expect(await replayTopic(varve, 'dead', options)).toEqual({ replayed: 0, passedOver: 0 })
  const other = { toOriginalPartition: true, group: 'another' }
  expect(await replayTopic(varve, 'dead', other)).toEqual({ replayed: 2, passedOver: 1 })
  expect(await valuesOf(varve.log('orders', 1))).toEqual(['b', 'a', 'b'])
})
