import { BatchTooLargeError, systemClock } from '@varve/log'
import { type RecordBatch, RecordBatchBuilder } from '@varve/record'
import { beforeEach, expect, test } from 'vitest'
import { ProducerFencedError } from '../../src/base/broker-errors.ts'
import { defaultTopicSettings } from '../../src/base/topic-settings.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { ClusterDelivery } from '../../src/cluster/cluster-delivery.ts'
import { ClusterRefusedError, ClusterUnavailableError } from '../../src/cluster/cluster-errors.ts'
import type { ClusterPartition, ClusterTopics } from '../../src/cluster/cluster-topics.ts'
import { kafkaCodes } from '../../src/cluster/kafka-codes.ts'
import { errorOf } from '../broker-fixture.ts'
import { away, fakeCluster, refused } from './fake-cluster.ts'

/** What arrived at the broker: producer id, sequence number, and value. */
let arrived: string[] = []
let script: Array<'ok' | Error> = []
let renewals = 0

beforeEach(() => {
  arrived = []
  script = []
  renewals = 0
})

function batchOf(value: string): RecordBatch {
  const identity = { producerId: 1, producerEpoch: 0, baseSequence: 0 }
  const builder = new RecordBatchBuilder({ ...identity, defaultTimestamp: 5 })
  builder.append({ value })
  return builder.build()
}

function delivery(isTransactional = false): (value: string) => Promise<unknown> {
  let current: RecordBatch = batchOf('')
  const base = fakeCluster({})
  const cluster = {
    ...base,
    on: async () => {
      const step = script.shift() ?? 'ok'
      if (step instanceof Error) throw step
      const [record] = current.records()
      arrived.push(`${current.producerId}:${current.baseSequence} ${String(record?.value)}`)
      current.validate()
      const baseOffset = BigInt(arrived.length - 1)
      return { responses: [{ partitionResponses: [{ index: 0, baseOffset }] }] }
    },
  } as unknown as Cluster
  const context = {
    cluster,
    topics: { refresh: async () => undefined } as unknown as ClusterTopics,
    transactionalId: isTransactional ? 't' : null,
    renew: isTransactional
      ? null
      : async () => ({ producerId: 100 + ++renewals, producerEpoch: 0 }),
    fenced: (why: string) => new ProducerFencedError('p', why),
  }
  const partition = {
    ...{ topic: 't', partition: 0, leader: 1, isDeleted: false, settings: defaultTopicSettings },
  } as unknown as ClusterPartition
  const options = { clock: systemClock, acks: 'flushed', deliveryTimeoutMs: 1000 } as const
  const delivering = new ClusterDelivery(
    context,
    partition,
    { producerId: 1, producerEpoch: 0 },
    options,
  )
  return (value) => {
    current = batchOf(value)
    return delivering.deliver(current)
  }
}

test('batches are numbered one after the other, and sent again under their number', async () => {
  const send = delivery()
  script = ['ok', away(), refused(6), 'ok', 'ok']
  expect(await send('a')).toEqual({ baseOffset: 0, lastOffset: 0, isDuplicate: false })
  await send('b')
  await send('c')
  expect(arrived).toEqual(['1:0 a', '1:1 b', '1:2 c'])
})

test('a batch that the broker has is not one more', async () => {
  const send = delivery()
  script = [refused(kafkaCodes.duplicateSequenceNumber), 'ok']
  expect(await send('a')).toEqual({ baseOffset: -1, lastOffset: -1, isDuplicate: true })
  await send('b')
  expect(arrived).toEqual(['1:1 b'])
})

test('a number that was refused for good is given again, one of unknown fate never', async () => {
  const send = delivery()
  script = [refused(29), 'ok', away(), away(), away(), 'ok', 'ok']
  await errorOf(send('no'), ClusterRefusedError)
  await send('a')
  await errorOf(send('perhaps'), ClusterUnavailableError)
  await send('b')
  await send('c')
  expect(arrived).toEqual(['1:0 a', '101:0 b', '101:1 c'])
})

test('a producer that the broker has forgotten begins anew, with the same batch', async () => {
  const send = delivery()
  script = [refused(kafkaCodes.unknownProducerId), 'ok', 'ok']
  await send('a')
  await send('b')
  expect(arrived).toEqual(['101:0 a', '101:1 b'])
})

test('after a doubt nothing more goes into a transaction', async () => {
  const send = delivery(true)
  script = [away(), away(), away()]
  const first = await errorOf(send('a'), ClusterUnavailableError)
  expect(await errorOf(send('b'), ClusterUnavailableError)).toBe(first)
  expect(arrived).toEqual([])
})

test('fencing and size are said as a directory says them', async () => {
  const send = delivery()
  script = [refused(kafkaCodes.messageTooLarge), refused(kafkaCodes.invalidProducerEpoch)]
  await errorOf(send('a'), BatchTooLargeError)
  await errorOf(send('a'), ProducerFencedError)
})
