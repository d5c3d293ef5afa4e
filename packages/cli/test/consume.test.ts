import { type Log, LogDirectory } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { endTransactionMarkerBatch, RecordBatchBuilder } from '@varve/record'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main } from '../src/main.ts'
import { captureIo, run } from './captured-io.ts'

const temporary = makeTemporaryDirectory()
const data = `${temporary.path}/data`
let directory: LogDirectory
let log: Log

// The log stays open for writing through all of these tests: that must not matter to a reader.
beforeAll(async () => {
  directory = await LogDirectory.open(data)
  log = await directory.createLog('orders', 0)
  await log.append({ key: 'k', value: 'text', timestamp: 1000 })
  await log.append({ value: 'with headers', timestamp: 2000, headers: [{ key: 'h', value: null }] })
  await log.append({ key: 'gone', value: null, timestamp: 3000 })
  await log.append({ key: Buffer.from([0xff]), value: Buffer.from([0xfe, 0x0a]), timestamp: 4000 })
  await log.append({ key: '', value: '', timestamp: 5000 })
})
afterAll(async () => {
  await directory.close()
  temporary.remove()
})

const consume = (...argv: readonly string[]) => run('consume', 'orders', '--data', data, ...argv)

describe('varve consume', () => {
  test('says which is missing: the directory, the topic, or the partition', async () => {
    const nowhere = await run('consume', 'orders', '--data', `${temporary.path}/nowhere`)
    expect(nowhere.code).toBe(3)
    expect(nowhere.err).toContain(`there is no data directory ${temporary.path}/nowhere`)
    const topic = await run('consume', 'odrers', '--data', data)
    expect(topic.code).toBe(3)
    expect(topic.err).toContain("there is no topic 'odrers'\n  varve topic list shows")
    const partition = await consume('--partition', '7')
    expect(partition.code).toBe(3)
    expect(partition.err).toContain("topic 'orders' has 1 partition, counted from 0: none is 7")
  })

  test('prints a value a line, byte for byte', async () => {
    const { code, stdout } = await consume()
    expect(code).toBe(0)
    expect(stdout.bytes.toString('latin1')).toBe('text\nwith headers\n\n\u00fe\n\n\n')
  })

  test('prints JSON with strings, and marks what is not UTF-8', async () => {
    const { stdout } = await consume('--format', 'json')
    expect(stdout.documents).toEqual([
      { offset: 0, timestamp: 1000, key: 'k', value: 'text' },
      {
        ...{ offset: 1, timestamp: 2000, key: null, value: 'with headers' },
        headers: [{ key: 'h', value: null }],
      },
      { offset: 2, timestamp: 3000, key: 'gone', value: null },
      {
        ...{ offset: 3, timestamp: 4000, key: '/w==', value: '/go=' },
        ...{ keyEncoding: 'base64', valueEncoding: 'base64' },
      },
      { offset: 4, timestamp: 5000, key: '', value: '' },
    ])
  })

  test.each([
    ['earliest', [0, 1, 2, 3, 4]],
    ['latest', []],
    ['3', [3, 4]],
    ['5', []],
    ['1970-01-01T00:00:02Z', [1, 2, 3, 4]],
    ['1970-01-01T00:00:02.001Z', [2, 3, 4]],
    ['1970-01-01', [0, 1, 2, 3, 4]],
    ['2100-01-01', []],
  ])('starts at %s', async (from, offsets) => {
    const { code, stdout } = await consume('--from', from, '--json')
    expect(code).toBe(0)
    expect(stdout.documents.map(({ offset }) => offset)).toEqual(offsets)
  })

  test('stops after --max records', async () => {
    const { stdout } = await consume('--max', '2', '--json')
    expect(stdout.documents.map(({ offset }) => offset)).toEqual([0, 1])
  })

  test.each(['2026-02-30', '2026-13-01', '-1', 'yesterday'])('knows no moment %s', async (from) => {
    const { code, err } = await consume('--from', from)
    expect(code).toBe(2)
    expect(err).toContain(`--from is '${from}'`)
  })

  test('an offset outside of the log is a failure', async () => {
    const { code, err } = await consume('--from', '99')
    expect(code).toBe(3)
    expect(err).toContain('offset 99 is outside log orders-0')
  })

  test('follows the log, printing what comes as it comes, until it is interrupted', async () => {
    const controller = new AbortController()
    const io = captureIo({ signal: controller.signal })
    const from = String(log.logEndOffset)
    const argv = ['consume', 'orders', '--data', data, '--from', from, '--follow', '--json']
    const ended = main(argv, io)
    for (const value of ['new 1', 'new 2']) {
      const { baseOffset } = await log.append({ value })
      await expect
        .poll(() => io.stdout.documents.at(-1), { timeout: 10_000, interval: 5 })
        .toMatchObject({ offset: baseOffset, value })
    }
    controller.abort()
    expect(await ended).toBe(0)
  })

  test('--follow with --max ends by itself', async () => {
    const from = String(log.logEndOffset)
    const ended = consume('--from', from, '--follow', '--max', '1', '--json')
    await log.append([{ value: 'one' }, { value: 'two' }])
    const { code, stdout } = await ended
    expect(code).toBe(0)
    expect(stdout.documents).toMatchObject([{ value: 'one' }])
  })

  test('leaves out markers always, and aborted records when asked for committed ones', async () => {
    const transactions = await directory.createLog('transfers', 0)
    const producer = { producerId: 9, producerEpoch: 0, baseSequence: 0, isTransactional: true }
    const batch = new RecordBatchBuilder({ ...producer, defaultTimestamp: 1 })
    await transactions.appendBatch(batch.append({ value: 'aborted' }).build())
    const marker = { type: 'abort', producerId: 9, producerEpoch: 0, coordinatorEpoch: 0 } as const
    const abort = endTransactionMarkerBatch({ ...marker, timestamp: 2 })
    await transactions.appendBatch(abort, { origin: 'coordinator' })
    await transactions.append({ value: 'plain' })
    const read = (...argv: readonly string[]) =>
      run('consume', 'transfers', '--data', data, ...argv)
    expect((await read()).out).toBe('aborted\nplain\n')
    expect((await read('--isolation', 'committed')).out).toBe('plain\n')
  })
})
