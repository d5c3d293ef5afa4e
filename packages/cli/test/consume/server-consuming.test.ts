import { openVarve } from '@varve/broker'
import { type Server, startServer } from '@varve/server'
import { describe, expect, test } from 'vitest'
import { printConsumed } from '../../src/consume/consumed-printing.ts'
import { consumeOnServer } from '../../src/consume/server-consuming.ts'
import { main } from '../../src/main.ts'
import { CapturedOutput, captureIo, run, runWith } from '../captured-io.ts'

/** Ten records in each of two partitions. */
async function serve(): Promise<Server> {
  const server = await startServer({ memory: true, port: 0 })
  await server.varve.createTopic('orders', { partitions: 2 })
  const producer = server.varve.producer()
  for (const partition of [0, 1]) {
    const records = Array.from({ length: 10 }, (_, index) => ({ value: `${partition}/${index}` }))
    await producer.send('orders', records, { partition })
  }
  return server
}

async function committed(server: Server): Promise<readonly number[]> {
  const { offsets } = await (await server.varve.groups()).describe('billing')
  return offsets.map(({ offset }) => offset)
}

describe('varve consume on a server', () => {
  test('prints a partition as it does one of a directory', async () => {
    await using server = await serve()
    const there = ['consume', 'orders', '--bootstrap-server', server.bootstrapServers]
    expect((await run(...there, '--max', '2')).out).toBe('0/0\n0/1\n')
    const from = await run(...there, '--partition', '1', '--from', '8', '--json')
    expect(from.stdout.documents).toMatchObject([
      { offset: 8, key: null, value: '1/8' },
      { offset: 9, key: null, value: '1/9' },
    ])
    expect(from.stdout.documents[0]).not.toHaveProperty('partition')
    expect((await run(...there, '--from', 'latest')).out).toBe('')
    expect((await run(...there, '--from', '2020-01-01', '--max', '1')).out).toBe('0/0\n')
    const missing = await run('consume', 'other', ...there.slice(2), '--json')
    expect([missing.code, JSON.parse(missing.err).error.code]).toEqual([3, 'VARVE_TOPIC_NOT_FOUND'])
    expect((await run(...there, '--partition', '2')).code).toBe(3)
  })

  test('follows, until it is interrupted', async () => {
    await using server = await serve()
    const controller = new AbortController()
    const io = captureIo({ signal: controller.signal })
    const there = ['--bootstrap-server', server.bootstrapServers]
    const ended = main(['consume', 'orders', ...there, '--from', 'latest', '--follow'], io)
    const sent = async (): Promise<string> => {
      await server.varve.producer().send('orders', { value: 'late' }, { partition: 0 })
      return io.stdout.text
    }
    await expect.poll(sent, { timeout: 10_000, interval: 200 }).toContain('late\n')
    controller.abort()
    expect(await ended).toBe(0)
  })

  test('reads as a member of a group, and commits what was printed', async () => {
    await using server = await serve()
    const there = ['--bootstrap-server', server.bootstrapServers, '--group', 'billing']
    const first = await run('consume', 'orders', ...there, '--json')
    expect(first.stdout.documents).toHaveLength(20)
    expect(new Set(first.stdout.documents.map(({ partition }) => partition))).toEqual(
      new Set([0, 1]),
    )
    expect(await committed(server)).toEqual([10, 10])
    expect((await run('consume', 'orders', ...there)).out).toBe('')
    const waiting = await run('consume', 'mistyped', ...there, '--json')
    expect([waiting.code, JSON.parse(waiting.err).error.code]).toEqual([3, 'VARVE_TOPIC_NOT_FOUND'])
  })

  test('commits nothing that nobody has read', async () => {
    await using server = await serve()
    const there = ['--bootstrap-server', server.bootstrapServers, '--group', 'billing']
    const { code } = await runWith({ closesAfterBytes: 0 }, 'consume', 'orders', ...there)
    expect(code).toBe(0)
    expect(await committed(server)).toEqual([])
  })
})

test('what is printed of a consumer is committed only where that is wanted', async () => {
  await using server = await serve()
  await using varve = await openVarve(`kafka://${server.bootstrapServers}`)
  const output = new CapturedOutput()
  const lines: string[] = []
  const printing = {
    output: {
      isFull: true,
      add: ({ value }: { readonly value: Buffer | null }) => void lines.push(String(value)),
      flush: () => output.write(lines.splice(0).join('\n')),
    },
    ...{ io: captureIo(), max: 3, commits: false, tellsPartition: false },
  }
  const options = { group: 'billing', topics: ['orders'], follow: false } as const
  const count = await printConsumed((more) => varve.consumer({ ...options, ...more }), printing)
  expect(count).toBe(3)
  expect(await committed(server)).toEqual([])
  const place = { bootstrapServer: server.bootstrapServers, commandConfig: null }
  const reading = { topic: 'orders', partition: 1, from: 'earliest', follow: false } as const
  const all = { ...reading, isolation: 'committed', max: Number.POSITIVE_INFINITY } as const
  expect(await consumeOnServer({ place, ...all }, printing.output, captureIo())).toBe(10)
})
