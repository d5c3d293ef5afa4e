import { BatchTooLargeError } from '@varve/log'
import type { CompressionType } from '@varve/record'
import { expect, test } from 'vitest'
import { ProducerFencedError } from '../../src/base/broker-errors.ts'
import { jsonSerde, stringSerde } from '../../src/base/serializers.ts'
import { partitionForKey } from '../../src/partitioning/partitioner.ts'
import { errorOf } from '../broker-fixture.ts'
import { fresh, type Home, numbered, valuesIn, withVarve } from './contract-home.ts'

export function describeProducing(home: Home): void {
  test('records are sent one by one and many together, in the order of the calls', async () => {
    await withVarve(home, async (varve) => {
      const topic = fresh('sent')
      await varve.createTopic(topic)
      const producer = varve.producer()
      expect(await producer.send(topic, { value: 'v0' })).toEqual({
        ...{ topic, partition: 0, offset: 0, isDuplicate: false },
      })
      const singles = numbered(500, 1).map((value) => producer.send(topic, { value }))
      const offsets = (await Promise.all(singles)).map(({ offset }) => offset)
      expect(offsets).toEqual(Array.from({ length: 500 }, (_, index) => index + 1))
      const batch = numbered(3, 501).map((value) => ({ value }))
      expect(await producer.send(topic, batch)).toEqual([
        { topic, partition: 0, baseOffset: 501, lastOffset: 503, isDuplicate: false },
      ])
      expect(await valuesIn(varve, topic)).toEqual([numbered(504)])
    })
  })

  test('a key goes to the partition that Kafka gives it, an explicit partition wins', async () => {
    await withVarve(home, async (varve) => {
      const topic = fresh('keys')
      await varve.createTopic(topic, { partitions: 5 })
      const producer = varve.producer()
      const sent = await Promise.all(
        numbered(50).map((key) => producer.send(topic, { key, value: key })),
      )
      const expected = numbered(50).map((key) => partitionForKey(key, 5))
      expect(sent.map(({ partition }) => partition)).toEqual(expected)
      const explicit = await producer.send(topic, { key: 'v0', value: 'x' }, { partition: 4 })
      expect(explicit.partition).toBe(4)
      const own = varve.producer({ partitioner: () => 3 })
      expect((await own.send(topic, { key: 'v0', value: 'y' })).partition).toBe(3)
    })
  })

  test('keys, values, headers, nulls and timestamps come back as they were', async () => {
    await withVarve(home, async (varve) => {
      const topic = fresh('shape')
      await varve.createTopic(topic)
      const producer = varve.producer()
      const timestamp = Date.now() - 5000
      const headers = [
        { key: 'a', value: 'text' },
        { key: 'a', value: Buffer.from([0, 255]) },
        { key: 'none', value: null },
      ]
      await producer.send(topic, { key: Buffer.from([1, 2]), value: 'ä', headers, timestamp })
      await producer.send(topic, { key: 'gone', value: null })
      await producer.send(topic, { key: null, value: '' })
      const consumer = varve.consumer({ topics: [topic], follow: false })
      const found = []
      for await (const record of consumer) found.push(record)
      expect(found.map(({ key, value }) => [key, value])).toEqual([
        [Buffer.from([1, 2]), Buffer.from('ä')],
        [Buffer.from('gone'), null],
        [null, Buffer.alloc(0)],
      ])
      expect(found[0]?.timestamp).toBe(timestamp)
      const seen = found[0]?.headers.map(({ key, value }) => [key, value])
      expect(seen).toEqual([
        ['a', Buffer.from('text')],
        ['a', Buffer.from([0, 255])],
        ['none', null],
      ])
    })
  })

  test('serializers make records of what a program has', async () => {
    await withVarve(home, async (varve) => {
      const topic = fresh('json')
      await varve.createTopic(topic)
      const producer = varve.producer({ keySerializer: stringSerde, valueSerializer: jsonSerde })
      await producer.send(topic, { key: 'k', value: { total: 3 } })
      const consumer = varve.consumer({
        ...{ topics: [topic], follow: false },
        keyDeserializer: stringSerde,
        valueDeserializer: jsonSerde,
      })
      const { value: record } = await consumer.next()
      expect([record?.key, record?.value]).toEqual(['k', { total: 3 }])
    })
  })

  test.each<CompressionType>(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'batches compressed with %s are read again',
    async (compression) => {
      await withVarve(home, async (varve) => {
        const topic = fresh(compression)
        await varve.createTopic(topic)
        const producer = varve.producer({ compression, lingerMs: 5 })
        await Promise.all(numbered(200).map((value) => producer.send(topic, { value })))
        expect(await valuesIn(varve, topic)).toEqual([numbered(200)])
      })
    },
  )

  test.each(['none', 'written', 'flushed'] as const)('acks %s', async (acks) => {
    await withVarve(home, async (varve) => {
      const topic = fresh('acks')
      await varve.createTopic(topic)
      const producer = varve.producer({ acks })
      for (const value of numbered(5)) {
        const { offset } = await producer.send(topic, { value })
        expect(offset).toBe(acks === 'none' ? -1 : Number(value.slice(1)))
      }
      await producer.close()
      const confirming = varve.producer()
      await confirming.send(topic, { value: 'v5' })
      expect(await valuesIn(varve, topic)).toEqual([numbered(6)])
    })
  })

  test('a batch that is too large is refused, and the next one is not', async () => {
    await withVarve(home, async (varve) => {
      const topic = fresh('large')
      await varve.createTopic(topic, { maxMessageBytes: 1000 })
      const producer = varve.producer()
      const large = { value: Buffer.alloc(2000, 'x') }
      await errorOf(producer.send(topic, large), BatchTooLargeError)
      expect((await producer.send(topic, { value: 'small' })).offset).toBe(0)
    })
  })

  test('a named producer fences the one before, and sends no source offset twice', async () => {
    const [topic, name] = [fresh('named'), fresh('reader')]
    await withVarve(home, async (varve) => {
      await varve.createTopic(topic)
      const older = varve.producer({ name })
      await older.send(topic, { key: 'k', value: '1' }, { sourceOffset: 1 })
      await older.send(topic, { key: 'k', value: '2' }, { sourceOffset: 5 })
      const newer = varve.producer({ name })
      await newer.start()
      expect(await newer.lastSourceOffset(topic, 0)).toBe(5)
      const again = await newer.send(topic, { key: 'k', value: '2' }, { sourceOffset: 5 })
      expect(again).toMatchObject({ offset: -1, isDuplicate: true })
      await newer.send(topic, { key: 'k', value: '3' }, { sourceOffset: 6 })
      await errorOf(older.send(topic, { value: 'late' }), ProducerFencedError)
    })
    await withVarve(home, async (varve) => {
      const next = varve.producer({ name })
      expect(await next.lastSourceOffset(topic, 0)).toBe(6)
      await next.send(topic, { key: 'k', value: '3' }, { sourceOffset: 6 })
      await next.send(topic, { key: 'k', value: '4' }, { sourceOffset: 9 })
      expect(await valuesIn(varve, topic)).toEqual([['1', '2', '3', '4']])
    })
  })
}
