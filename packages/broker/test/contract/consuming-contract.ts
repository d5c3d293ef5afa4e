import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { TopicNotFoundError } from '../../src/base/broker-errors.ts'
import { RecordsDeletedError } from '../../src/consuming/consumer-errors.ts'
import type { StartingPoint } from '../../src/consuming/consumer-options.ts'
import type { Varve } from '../../src/varve.ts'
import { errorOf } from '../broker-fixture.ts'
import { fresh, type Home, numbered, take, until, withVarve } from './contract-home.ts'

async function filled(varve: Varve, values: readonly string[], partitions = 1): Promise<string> {
  const topic = fresh('read')
  await varve.createTopic(topic, { partitions })
  const producer = varve.producer()
  for (const [index, value] of values.entries()) {
    const timestamp = 1_000_000 * (index + 1)
    await producer.send(topic, { value, timestamp }, { partition: index % partitions })
  }
  await producer.close()
  return topic
}

export function describeConsuming(home: Home): void {
  test('a consumer begins at the earliest, the latest, an offset or a time', async () => {
    await withVarve(home, async (varve) => {
      const topic = await filled(varve, numbered(10))
      const readFrom = async (from: StartingPoint): Promise<string[]> => {
        return take(varve.consumer({ topics: [topic], from, follow: false }), 99)
      }
      expect(await readFrom('earliest')).toEqual(numbered(10))
      expect(await readFrom('latest')).toEqual([])
      expect(await readFrom(7)).toEqual(numbered(3, 7))
      expect(await readFrom({ timestamp: 4_500_000 })).toEqual(numbered(6, 4))
      expect(await readFrom({ timestamp: 99_000_000 })).toEqual([])
      const following = varve.consumer({ topics: [topic], from: 'latest' })
      await following.start()
      await varve.producer().send(topic, { value: 'new' })
      expect(await take(following, 1)).toEqual(['new'])
    })
  })

  test('a list of partitions is read, and no others', async () => {
    await withVarve(home, async (varve) => {
      const topic = await filled(varve, numbered(9), 3)
      const assignment = [
        { topic, partition: 0 },
        { topic, partition: 2 },
      ]
      const values = await take(varve.consumer({ assignment, follow: false }), 99)
      expect(values.sort()).toEqual(['v0', 'v2', 'v3', 'v5', 'v6', 'v8'])
    })
  })

  test('many records of many partitions are read in the order of each', async () => {
    await withVarve(home, async (varve) => {
      const topic = fresh('many')
      await varve.createTopic(topic, { partitions: 4 })
      const producer = varve.producer({ compression: 'lz4' })
      await Promise.all(
        numbered(8000).map((value, index) => {
          return producer.send(topic, { value }, { partition: index % 4 })
        }),
      )
      const last = [-1, -1, -1, -1]
      let count = 0
      const consumer = varve.consumer({ topics: [topic], follow: false, fetchBytes: 20_000 })
      for await (const { partition, value } of consumer) {
        const number = Number(String(value).slice(1))
        expect(number).toBeGreaterThan(last[partition] ?? -1)
        last[partition] = number
        count++
      }
      expect([count, last]).toEqual([8000, [7996, 7997, 7998, 7999]])
    })
  })

  test('pausing, resuming, seeking, positions and lag', async () => {
    await withVarve(home, async (varve) => {
      const topic = await filled(varve, numbered(10), 2)
      const [zero, one] = [
        { topic, partition: 0 },
        { topic, partition: 1 },
      ]
      const consumer = varve.consumer({ topics: [topic] })
      await consumer.start()
      consumer.pause([one])
      expect(await take(consumer, 5)).toEqual(['v0', 'v2', 'v4', 'v6', 'v8'])
      expect([consumer.position(zero), consumer.position(one)]).toEqual([5, 0])
      await until(() => consumer.lag().some(({ endOffset }) => endOffset === 5))
      consumer.resume([one])
      expect(await take(consumer, 5)).toEqual(['v1', 'v3', 'v5', 'v7', 'v9'])
      expect(consumer.lag().map(({ lag }) => lag)).toEqual([0, 0])
      await consumer.seek(zero, 3)
      expect(await take(consumer, 2)).toEqual(['v6', 'v8'])
      await consumer.seek(one, 'earliest')
      expect(await take(consumer, 1)).toEqual(['v1'])
      await errorOf(consumer.seek({ topic, partition: 9 }, 0), InvalidArgumentError)
      await consumer.close()
      expect(consumer.partitions).toEqual([])
    })
  })

  test('a position at which nothing is makes reading fail, or go on elsewhere', async () => {
    await withVarve(home, async (varve) => {
      const topic = await filled(varve, numbered(3))
      const failing = varve.consumer({ topics: [topic], from: 50 })
      const error = await errorOf(failing.next(), RecordsDeletedError)
      expect(error).toMatchObject({ position: 50, logStartOffset: 0, logEndOffset: 3 })
      await failing.seek({ topic, partition: 0 }, 2)
      expect(await take(failing, 1)).toEqual(['v2'])
      const told: number[] = []
      const going = varve.consumer({
        ...{ topics: [topic], from: 50, whenDeleted: 'earliest' },
        onDeleted: ({ position }) => told.push(position),
      })
      expect(await take(going, 3)).toEqual(numbered(3))
      expect(told).toEqual([50])
    })
  })

  test('a loop that is left, and a signal, close the consumer', async () => {
    await withVarve(home, async (varve) => {
      const topic = await filled(varve, numbered(3))
      const left = varve.consumer({ topics: [topic] })
      for await (const _ of left) break
      expect((await left.next()).done).toBe(true)
      const controller = new AbortController()
      const stopped = varve.consumer({ topics: [topic], signal: controller.signal })
      expect(await take(stopped, 3)).toEqual(numbered(3))
      const waiting = stopped.next()
      controller.abort()
      expect((await waiting).done).toBe(true)
    })
  })

  test('partitions that are added are read, and a topic that is deleted ends it', async () => {
    await withVarve(home, async (varve) => {
      const topic = await filled(varve, ['v0'])
      const consumer = varve.consumer({ topics: [topic], from: 'latest' })
      await consumer.start()
      await varve.addPartitions(topic, 2)
      await varve.producer().send(topic, { value: 'there' }, { partition: 1 })
      expect(await take(consumer, 1)).toEqual(['there'])
      await varve.deleteTopic(topic)
      await errorOf(consumer.next(), TopicNotFoundError)
    })
  })
}
