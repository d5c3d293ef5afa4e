import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openVarve } from '@varve/broker'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dumpLog } from '../src/kafka/dump-log.ts'
import { dumpComplaints, parseDump } from '../src/kafka/dump-log-parser.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import { logFileNames } from './kafka-interop/partition-contents.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

describeWithKafka((release) => {
  describe('understands what the broker of Varve writes:', () => describeBroker(release))
})

function describeBroker(release: KafkaRelease): void {
  let data = ''

  beforeAll(async () => {
    data = join(mkdtempSync(join(tmpdir(), 'varve-broker-')), 'data')
    await live(data)
  })
  afterAll(() => rmSync(join(data, '..'), { recursive: true, force: true }))

  const dumped = async (partition: string, decoder: string): Promise<string> => {
    const files = logFileNames(join(data, partition)).map((name) => join(data, partition, name))
    const { stdout, stderr } = await dumpLog(release, files, ['--print-data-log', decoder])
    expect(dumpComplaints(stderr)).toEqual([])
    expect(parseDump(stdout).length).toBe(files.length)
    return stdout
  }

  test('committed offsets, plain and in a transaction', async () => {
    const text = await dumped('__consumer_offsets-0', '--offsets-decoder')
    for (const group of ['billing', 'moving']) expect(text).toContain(group)
    expect(text).toContain('orders')
    expect(text).toMatch(/endTxnMarker: COMMIT/)
  })

  test('the states of transactions', async () => {
    const text = await dumped('__transaction_state-0', '--transaction-log-decoder')
    expect(text).toContain('mover')
    // By name, or in 4.x by number: Kafka's TransactionState.
    for (const [state, id] of [
      ['PrepareCommit', 2],
      ['CompleteCommit', 4],
      ['CompleteAbort', 5],
    ] as const) {
      expect(text).toMatch(new RegExp(`${state}|transactionStatus\\W+${id}\\b`, 'i'))
    }
  })
}

/** Commits offsets by a consumer and by a transaction; commits one transaction and aborts one. */
async function live(data: string): Promise<void> {
  await using varve = await openVarve(data)
  await varve.createTopic('orders', { partitions: 2 })
  const producer = varve.producer({ compression: 'lz4' })
  await producer.send('orders', [
    { key: 'o-1', value: 'a' },
    { key: 'o-2', value: 'b' },
  ])
  const consumer = varve.consumer({ group: 'billing', topics: ['orders'], follow: false })
  for await (const record of consumer) await consumer.commit(record)
  await consumer.close()
  const mover = varve.producer({ transactionalId: 'mover' })
  await mover.transaction(async (transaction) => {
    await transaction.send('orders', { key: 'o-1', value: 'moved' })
    await transaction.sendOffsets('moving', [{ topic: 'orders', partition: 0, offset: 1 }])
  })
  const refused = mover.transaction(async (transaction) => {
    await transaction.send('orders', { key: 'o-2', value: 'never' })
    throw new Error('changed its mind')
  })
  await expect(refused).rejects.toThrow('changed its mind')
}
