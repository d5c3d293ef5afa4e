import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import {
  ClosedError,
  InvalidTopicError,
  TopicExistsError,
  TopicNotFoundError,
} from '../../src/base/broker-errors.ts'
import { errorOf } from '../broker-fixture.ts'
import { fresh, type Home, withVarve } from './contract-home.ts'

export function describeTopics(home: Home): void {
  test('topics are made, described, changed, given partitions, listed and deleted', async () => {
    const name = fresh('topic')
    await withVarve(home, async (varve) => {
      const made = await varve.createTopic(name, {
        ...{ partitions: 2, cleanupPolicy: ['compact', 'delete'] },
        retentionMs: 3_600_000,
      })
      expect(made).toMatchObject({ name, isInternal: false })
      expect(made.topicId).toMatch(/^[\w-]{22}$/)
      expect(made.settings).toMatchObject({ retentionMs: 3_600_000 })
      expect([...made.settings.cleanupPolicy].sort()).toEqual(['compact', 'delete'])
      expect(made.partitions).toMatchObject([
        { partition: 0, logStartOffset: 0, highWatermark: 0, lastStableOffset: 0, error: null },
        { partition: 1, error: null },
      ])
      const altered = await varve.alterTopic(name, { retentionMs: -1, maxMessageBytes: 5000 })
      expect(altered.settings).toMatchObject({ retentionMs: -1, maxMessageBytes: 5000 })
      const back = await varve.alterTopic(name, { retentionMs: null })
      expect(back.settings).toMatchObject({ retentionMs: 604_800_000, maxMessageBytes: 5000 })
      expect((await varve.addPartitions(name, 4)).partitions).toHaveLength(4)
      expect(await varve.listTopics()).toContain(name)
    })
    await withVarve(home, async (varve) => {
      const found = await varve.describeTopic(name)
      expect(found.partitions).toHaveLength(4)
      expect(found.settings.maxMessageBytes).toBe(5000)
      await varve.deleteTopic(name)
      expect(await varve.listTopics()).not.toContain(name)
      await errorOf(varve.describeTopic(name), TopicNotFoundError)
    })
  })

  test('what cannot be done with topics is refused with the same errors', async () => {
    await withVarve(home, async (varve) => {
      const name = fresh('topic')
      await varve.createTopic(name, { partitions: 2 })
      await errorOf(varve.createTopic(name), TopicExistsError)
      await errorOf(varve.createTopic('no/slash'), InvalidTopicError)
      await errorOf(varve.createTopic('__consumer_offsets'), InvalidTopicError)
      await errorOf(varve.createTopic(fresh('t'), { partitions: 0 }), InvalidArgumentError)
      await errorOf(varve.createTopic(fresh('t'), { segmentBytes: 1 }), InvalidArgumentError)
      const unknown = { retentionSeconds: 1 } as object
      await errorOf(varve.createTopic(fresh('t'), unknown), InvalidArgumentError)
      await errorOf(varve.addPartitions(name, 2), InvalidArgumentError)
      const missing = fresh('missing')
      await errorOf(varve.alterTopic(missing, { retentionMs: 1 }), TopicNotFoundError)
      await errorOf(varve.addPartitions(missing, 2), TopicNotFoundError)
      await errorOf(varve.deleteTopic(missing), TopicNotFoundError)
      await errorOf(varve.producer().send(missing, { value: 'a' }), TopicNotFoundError)
      await errorOf(varve.consumer({ topics: [missing] }).next(), TopicNotFoundError)
      const assignment = [{ topic: name, partition: 2 }]
      await errorOf(varve.consumer({ assignment }).next(), TopicNotFoundError)
      await errorOf(
        varve.producer().send(name, { value: 'a' }, { partition: 7 }),
        TopicNotFoundError,
      )
      expect(() => varve.consumer({})).toThrow(InvalidArgumentError)
    })
  })

  test('what is closed says so', async () => {
    const name = fresh('topic')
    const varve = await home.open()
    await varve.createTopic(name)
    const producer = varve.producer()
    const consumer = varve.consumer({ topics: [name] })
    const lingering = varve.producer({ lingerMs: 50 })
    await producer.send(name, { value: 'a' })
    await producer.close()
    await errorOf(producer.send(name, { value: 'b' }), ClosedError)
    const late = lingering.send(name, { value: 'last' })
    const next = consumer.next()
    expect((await next).done).toBe(false)
    const waiting = consumer.next().then(() => consumer.next())
    await varve.close()
    expect((await late).offset).toBe(1)
    expect((await waiting).done).toBe(true)
    await errorOf(lingering.send(name, { value: 'c' }), ClosedError)
    expect(() => varve.producer()).toThrow(ClosedError)
    expect(() => varve.producer({ transactionalId: name })).toThrow(ClosedError)
    expect(() => varve.consumer({ topics: [name] })).toThrow(ClosedError)
    expect(() => varve.consumer({ group: name, topics: [name] })).toThrow(ClosedError)
    await varve.close()
  })
}
