import { startServer } from '@varve/server'
import { describe, expect, test } from 'vitest'
import { AppendWindow } from '../../src/produce/append-window.ts'
import { LogTarget } from '../../src/produce/local-target.ts'
import { printSummary } from '../../src/produce/produce-summary.ts'
import { ServerTarget } from '../../src/produce/server-target.ts'
import { captureIo, runWith } from '../captured-io.ts'

const lines = ['a\t1\n', 'b\t2\n', 'a\t3\n', 'c\t4\n']

describe('varve produce on a server', () => {
  test('sends where the keys say, and tells it by partition', async () => {
    await using server = await startServer({ memory: true, port: 0 })
    await server.varve.createTopic('orders', { partitions: 3 })
    const argv = ['produce', 'orders', '--bootstrap-server', server.bootstrapServers]
    const keyed = [...argv, '--key-separator', '\\t']
    const { code, stdout, err } = await runWith({ input: lines }, ...keyed, '--json')
    expect([code, err]).toEqual([0, ''])
    const [told] = stdout.documents
    expect(told).toMatchObject({
      ...{ topic: 'orders', partition: null, records: 4, bytes: 12, complete: true },
      ...{ firstOffset: null, acks: 'flushed' },
    })
    const topic = await server.varve.describeTopic('orders')
    for (const { partition, records, firstOffset, lastOffset } of told.partitions) {
      expect([firstOffset, lastOffset]).toEqual([0, records - 1])
      expect(topic.partitions[partition]?.highWatermark).toBe(records)
    }
    const again = await runWith({ input: lines }, ...keyed)
    expect(again.out).toMatch(/^orders: 4 records, 12 B, acknowledged as flushed\n( {2}\d: .*\n)+/)
  })

  test.each(['none', 'written', 'flushed'])('sends to one partition, with %s', async (acks) => {
    await using server = await startServer({ memory: true, port: 0 })
    await server.varve.createTopic('orders', { partitions: 2 })
    const argv = ['produce', 'orders', '--bootstrap-server', server.bootstrapServers]
    const to = ['--partition', '1', '--acks', acks, '--compression', 'lz4']
    const { code, out } = await runWith({ input: lines }, ...argv, ...to)
    expect(code).toBe(0)
    const offsets = acks === 'none' ? 'offsets not told' : 'offsets 0 to 3'
    expect(out).toContain(`orders-1: 4 records, 12 B, ${offsets}, acknowledged as ${acks}\n`)
    const end = async () =>
      (await server.varve.describeTopic('orders')).partitions[1]?.highWatermark
    await expect.poll(end).toBe(4)
  })

  test('makes no topic, and knows which partitions there are', async () => {
    await using server = await startServer({ memory: true, port: 0 })
    const argv = ['produce', 'orders', '--bootstrap-server', server.bootstrapServers]
    const missing = await runWith({ input: lines }, ...argv)
    expect([missing.code, missing.err]).toEqual([3, expect.stringContaining('varve topic create')])
    expect(await server.varve.listTopics()).toEqual([])
    await server.varve.createTopic('orders')
    const none = await runWith({ input: lines }, ...argv, '--partition', '1', '--json')
    expect([none.code, JSON.parse(none.err).error.code]).toEqual([3, 'VARVE_TOPIC_NOT_FOUND'])
  })
})

test('nothing counts that was appended behind a failure', async () => {
  let offset = 0
  const target = new ServerTarget(
    {
      send: async () => {
        offset += 1
        if (offset === 3) throw new Error('refused')
        return { topic: 't', partition: 0, offset: offset - 1, isDuplicate: false }
      },
    } as never,
    't',
    null,
  )
  const window = new AppendWindow(target)
  await window.append([{ value: 'a' }, { value: 'b' }], 2)
  await window.append([{ value: 'c' }], 1)
  await window.append([{ value: 'd' }], 1).catch(() => undefined)
  await expect(window.settle()).rejects.toThrow('refused')
  const { acknowledged } = window
  expect(acknowledged).toEqual({
    ...{ records: 2, bytes: 2 },
    partitions: [{ partition: 0, records: 2, firstOffset: 0, lastOffset: 1 }],
  })
  const io = captureIo()
  const options = { topic: 't', partition: null, acks: 'written', json: true, home: {} } as const
  await printSummary(acknowledged, options, io, { startedMs: io.clock.monotonic(), isWhole: false })
  expect(io.stdout.documents[0]).toMatchObject({ records: 2, complete: false })
})

test('a partition of a directory knows its offsets before it is acknowledged', async () => {
  const sizes: number[] = []
  const log = {
    logEndOffset: 7,
    append: async (records: readonly unknown[]) => {
      sizes.push(records.length)
    },
  }
  const target = new LogTarget(log as never, 3, { acks: 'none', compressionType: 'none' })
  const first = target.append([{ value: 'a' }, { value: 'b' }])
  const [second] = await target.append([{ value: 'c' }])
  expect([await first, second]).toEqual([
    [{ partition: 3, records: 2, firstOffset: 7, lastOffset: 8 }],
    { partition: 3, records: 1, firstOffset: 9, lastOffset: 9 },
  ])
  expect(sizes).toEqual([2, 1])
})
