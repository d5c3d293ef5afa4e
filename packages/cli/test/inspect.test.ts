import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LogDirectory } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashTree, run, runWith } from './captured-io.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

const data = `${temporary.path}/sound`

beforeAll(async () => {
  await using directory = await LogDirectory.open(data)
  const orders = await directory.createLog('orders', 0)
  const value = 'the same words over and over '.repeat(20)
  for (let segment = 0; segment < 3; segment += 1) {
    if (segment > 0) await orders.roll()
    const compressionType = segment === 1 ? 'gzip' : 'none'
    const records = Array.from({ length: 10 }, (_, index) => ({
      value,
      timestamp: 1_700_000_000_000 + segment * 10 + index,
    }))
    await orders.append(records, { compressionType })
  }
  const other = await directory.createLog('other', 10)
  await other.append({ value: 'x' })
  await directory.createLog('other', 2)
})

function copyData(name: string): string {
  const copy = `${temporary.path}/${name}`
  cpSync(data, copy, { recursive: true })
  return copy
}

describe('varve inspect', () => {
  test('tells of every partition and segment, in the order of topics and numbers', async () => {
    const { code, stdout } = await run('inspect', data, '--json')
    expect(code).toBe(0)
    const [document] = stdout.documents
    expect(document).toMatchObject({ path: data, kind: 'data' })
    const { partitions } = document
    const names = partitions.map(({ name }: { name: string }) => name)
    expect(names).toEqual(['orders-0', 'other-2', 'other-10'])
    expect(partitions[0]).toMatchObject({
      ...{ logStartOffset: 0, nextOffset: 30, recoveryPoint: 30, closedCleanly: true },
      ...{ records: 30, batches: 3, health: 'ok', problems: [], leftovers: [] },
    })
    expect(partitions[0].segments).toMatchObject([
      { baseOffset: 0, nextOffset: 10, compression: { none: 1 }, compressionRatio: 1 },
      { baseOffset: 10, nextOffset: 20, compression: { gzip: 1 }, health: 'ok' },
      { baseOffset: 20, nextOffset: 30, producers: 0, producerIds: [] },
    ])
    expect(partitions[0].segments[1]).toMatchObject({
      ...{ records: 10, batches: 1 },
      ...{ firstTimestamp: 1_700_000_000_010, lastTimestamp: 1_700_000_000_019 },
      indexEntries: { offset: expect.any(Number), time: 1, transaction: null },
    })
    const plainBytes = partitions[0].segments[0].sizeBytes
    const { compressionRatio, sizeBytes } = partitions[0].segments[1]
    expect(compressionRatio * sizeBytes).toBeCloseTo(plainBytes, 5)
    expect(compressionRatio).toBeGreaterThan(10)
  })

  test('prints tables with a picture of the segments, for each partition', async () => {
    const { code, out } = await run('inspect', data)
    expect(code).toBe(0)
    expect(out).toContain('orders-0: 3 segments, 30 records')
    expect(out).toMatch(/\n {2}0 █+▓+░+ 30\n/)
    expect(out).toMatch(/BASE +NEXT +RECORDS +BATCHES +SIZE +CODEC +FIRST +LAST +INDEX +HEALTH/)
    expect(out).toMatch(/ gzip ×\d+\.\d /)
    expect(out).toContain('other-2: 1 segment, 0 records, 0 B, empty at offset 0')
    expect(out).toContain('3 partitions, 31 records')
  })

  test('works alike on a partition and on a file', async () => {
    const partition = await run('inspect', `${data}/orders-0`, '--json')
    expect(partition.stdout.documents[0]).toMatchObject({
      kind: 'partition',
      partitions: [{ name: 'orders-0', records: 30 }],
    })
    const log = await run('inspect', `${data}/orders-0/00000000000000000010.log`, '--json')
    expect(log.stdout.documents[0]).toMatchObject({ kind: 'file', type: 'log', records: 10 })
    const index = await run('inspect', `${data}/orders-0/00000000000000000010.timeindex`, '--json')
    expect(index.stdout.documents[0]).toMatchObject({
      ...{ kind: 'file', type: 'timeindex', entries: 1, slots: 1 },
      ...{ first: [1_700_000_000_019, 19], health: 'ok' },
    })
  })

  test('reads transactions and producers of a partition that Kafka wrote', async (context) => {
    const fixture = join(import.meta.dirname, '../../../../shared/fixtures/txn-0')
    if (!existsSync(fixture)) return context.skip('the fixtures written by Kafka are not there')
    const { code, stdout } = await run('inspect', fixture, '--json')
    expect(code).toBe(0)
    expect(stdout.documents[0].partitions[0].segments).toMatchObject([
      { producerIds: [1000, 1001, 1002], indexEntries: { transaction: 1 }, health: 'ok' },
      { producerIds: [1000, 1001, 1002, 1003], indexEntries: { transaction: 2 }, health: 'ok' },
    ])
  })

  test('looks at a log beside its writer', async () => {
    const live = `${temporary.path}/live`
    await using directory = await LogDirectory.open(live)
    const log = await directory.createLog('orders', 0)
    await log.append({ value: 'x' })
    const { code, stdout } = await run('inspect', live, '--json')
    expect(code).toBe(0)
    expect(stdout.documents[0].partitions[0]).toMatchObject({ records: 1, closedCleanly: false })
  })

  test('a data directory without a log is one all the same', async () => {
    const empty = `${temporary.path}/empty`
    await (await LogDirectory.open(empty)).close()
    const { code, out } = await run('inspect', empty)
    expect(code).toBe(0)
    expect(out).toContain('0 partitions, 0 records')
  })

  test('an interrupted inspection is no answer', async () => {
    const controller = new AbortController()
    controller.abort()
    const { code, out } = await runWith({ signal: controller.signal }, 'inspect', data)
    expect(code).toBe(3)
    expect(out).toBe('')
  })
})

describe('varve inspect, of damaged logs', () => {
  test('damage in a sealed segment is a finding, with file, position and offset', async () => {
    const data = copyData('damaged')
    const path = `${data}/orders-0/00000000000000000010.log`
    const bytes = readFileSync(path)
    bytes.writeUInt8(bytes.readUInt8(80) ^ 4, 80)
    writeFileSync(path, bytes)
    const { code, out } = await run('inspect', data)
    expect(code).toBe(1)
    expect(out).toMatch(/! segment 10: damaged at position 0, after offset 9: /)
    expect(out).toContain('×××')
    expect(out).toContain('1 damaged')
    const { stdout } = await run('inspect', data, '--json')
    const { health, segments } = stdout.documents[0].partitions[0]
    expect(health).toBe('damaged')
    const healths = segments.map((segment: { health: string }) => segment.health)
    expect(healths).toEqual(['ok', 'damaged', 'ok'])
  })

  test('a torn end after a crash is no damage', async () => {
    const data = copyData('torn')
    rmSync(`${data}/.kafka_cleanshutdown`)
    appendFileSync(`${data}/orders-0/00000000000000000020.log`, Buffer.alloc(30, 1))
    const { code, out } = await run('inspect', `${data}/orders-0`)
    expect(code).toBe(0)
    expect(out).toMatch(/! segment 20: the last 30 bytes are no whole batch, at position \d+/)
  })

  test('a log that ends below its recovery point has lost something', async () => {
    const data = copyData('lost')
    rmSync(`${data}/.kafka_cleanshutdown`)
    const path = `${data}/orders-0/00000000000000000020.log`
    writeFileSync(path, readFileSync(path).subarray(0, 100))
    const { code } = await run('inspect', `${data}/orders-0`)
    expect(code).toBe(1)
  })

  test('a damaged index and a damaged checkpoint are findings', async () => {
    const data = copyData('indexes')
    appendFileSync(`${data}/orders-0/00000000000000000010.timeindex`, Buffer.alloc(12, 0xff))
    const index = await run('inspect', `${data}/orders-0`)
    expect(index.code).toBe(1)
    expect(index.out).toContain('00000000000000000010.timeindex is damaged at position 12')
    writeFileSync(`${data}/recovery-point-offset-checkpoint`, 'nonsense')
    const checkpoint = await run('inspect', `${data}/other-10`)
    expect(checkpoint.code).toBe(1)
    expect(checkpoint.out).toContain('recovery-point-offset-checkpoint')
  })

  test('a directory without logs is a failure that says what was looked for', async () => {
    const { code, err } = await run('inspect', import.meta.dirname)
    expect(code).toBe(3)
    expect(err).toContain('<topic>-<partition>')
  })
})

test('verbs that read change nothing: no file, no byte', async () => {
  const data = copyData('untouched')
  const before = hashTree(data)
  for (const argv of [
    ['inspect', data],
    ['inspect', data, '--json'],
    ['dump', data, '--records'],
    ['dump', data, '--records', '--json', '--from', '5', '--max', '9'],
    ['consume', 'orders', '--data', data],
    ['consume', 'orders', '--data', data, '--from', '2023-11-14', '--json'],
  ]) {
    expect((await run(...argv)).code, argv.join(' ')).toBe(0)
  }
  expect(hashTree(data)).toEqual(before)
})
