import assert from 'node:assert/strict'
import { type DirectoryVarve, openVarve } from '@varve/broker'
import type { Benchmark } from '../harness/benchmark.ts'
import { contentHash } from '../harness/content-hash.ts'
import { type Sample, secondsOf } from '../harness/contest.ts'
import { holdGrowth } from '../harness/growth.ts'
import { payloadOf } from '../harness/payload.ts'
import { hashOfNumbers, hashOfTexts } from '../harness/result-hash.ts'
import { batchRecords, recordBytes } from './log-scene.ts'

export const scaleConsumers: Benchmark = {
  name: 'scale-consumers',
  summary: 'following a topic as it has more consumers, each of which gets every record',
  async run(context) {
    const deliveries = context.size(400_000, 4_000)
    return await holdGrowth<DirectoryVarve>(context, {
      along: 'consumers',
      sizes: context.sizes({ smoke: [1, 2, 4], small: [1, 10, 100], full: [1, 10, 100, 1_000] }),
      conditions: {
        payload: payloadOf(recordBytes, batchRecords).description,
        deliveries: `${deliveries} at every size: the more consumers, the fewer records`,
        sends: `${batchRecords} records at once, written, the next when they are`,
      },
      prepare: (_size, path) => openVarve(path, { cleaning: false }) as Promise<DirectoryVarve>,
      close: (varve) => varve.close(),
      curves: [
        {
          name: 'a record delivered to one consumer',
          unit: 'ns',
          exponentAtMost: 0.25,
          measure: (varve, size) => following(varve, size, deliveries),
        },
      ],
    })
  },
}

/** A new topic each time, so that all begin with nothing. */
async function following(
  varve: DirectoryVarve,
  consumers: number,
  deliveries: number,
): Promise<Sample> {
  const sends = Math.max(1, Math.ceil(deliveries / consumers / batchRecords))
  const records = sends * batchRecords
  await varve.createTopic('bench')
  const all = Array.from({ length: consumers }, () =>
    varve.consumer({ topics: ['bench'], from: 'earliest' }),
  )
  await Promise.all(all.map((consumer) => consumer.start()))
  const producer = varve.producer({ acks: 'written' })
  const batch = payloadOf(recordBytes, batchRecords).records.map(({ key, value }) => {
    return { key, value }
  })
  let delivered = 0
  const sums = new Uint32Array(consumers)
  const seconds = await secondsOf(async () => {
    const receiving = all.map(async (consumer, index) => {
      let sum = 0
      for (let count = 0; count < records; count++) {
        const { done, value: record } = await consumer.next()
        assert.ok(done !== true && record.value !== null, 'a consumer goes on')
        sum = (Math.imul(sum, 31) + (record.value[count % record.value.length] ?? 0)) >>> 0
        delivered += 1
      }
      sums[index] = sum
    })
    for (let send = 0; send < sends; send++) {
      await producer.send('bench', batch, { partition: 0 })
    }
    await Promise.all(receiving)
  })
  await Promise.all(all.map((consumer) => consumer.close()))
  await producer.close()
  const content = await contentHash(varve.log('bench', 0))
  await varve.deleteTopic('bench')
  assert.equal(delivered, records * consumers, 'every consumer had every record')
  assert.equal(new Set(sums).size, 1, 'every consumer had the same records')
  const hash = hashOfTexts(hashOfNumbers(delivered, sums[0] ?? 0), content)
  return { value: (seconds / delivered) * 1e9, hash }
}
