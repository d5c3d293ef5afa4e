import assert from 'node:assert/strict'
import { type DirectoryVarve, openVarve } from '@varve/broker'
import type { Benchmark } from '../harness/benchmark.ts'
import { type Sample, secondsOf } from '../harness/contest.ts'
import { holdGrowth } from '../harness/growth.ts'
import { payloadOf } from '../harness/payload.ts'
import { hashOfNumbers } from '../harness/result-hash.ts'
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
  const seconds = await secondsOf(async () => {
    const receiving = all.map(async (consumer) => {
      for (let count = 0; count < records; count++) {
        assert.equal((await consumer.next()).done, false, 'a consumer goes on')
        delivered += 1
      }
    })
    for (let send = 0; send < sends; send++) {
      await producer.send('bench', batch, { partition: 0 })
    }
    await Promise.all(receiving)
  })
  await Promise.all(all.map((consumer) => consumer.close()))
  await producer.close()
  await varve.deleteTopic('bench')
  assert.equal(delivered, records * consumers, 'every consumer had every record')
  return { value: (seconds / delivered) * 1e9, hash: hashOfNumbers(delivered) }
}
