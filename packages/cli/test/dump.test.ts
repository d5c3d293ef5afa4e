import { randomInt } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LogDirectory } from '@varve/log'
import { makeTemporaryDirectory, Random } from '@varve/log/testing'
import { RecordBatchBuilder } from '@varve/record'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from './captured-io.ts'

const fixtures = join(import.meta.dirname, '../../../../shared/fixtures')
const fixturesMissing = existsSync(fixtures)
  ? null
  : 'the fixtures written by Kafka are not beside this repository (../shared/fixtures)'
const fixtureNames = [
  ...['codec-gzip-0', 'codec-lz4-0', 'codec-none-0', 'codec-snappy-0', 'codec-zstd-0'],
  ...['leaderchange-0', 'magic0-gzip-0', 'magic0-none-0', 'magic1-lz4-0', 'magic1-none-0', 'txn-0'],
]

const temporary = makeTemporaryDirectory()
const data = `${temporary.path}/data`
const orders = `${data}/orders-0`

// Three segments of ten records each, in batches of five.
beforeAll(async () => {
  await using directory = await LogDirectory.open(data)
  const log = await directory.createLog('orders', 0)
  for (let batch = 0; batch < 6; batch += 1) {
    if (batch === 2 || batch === 4) await log.roll()
    const records = Array.from({ length: 5 }, (_, index) => ({
      key: `k${batch * 5 + index}`,
      value: 'v'.repeat(batch * 5 + index),
      timestamp: 1_700_000_000_000 + batch * 5 + index,
    }))
    await log.append(records)
  }
})
afterAll(() => temporary.remove())

describe('varve dump --records --json --digest', () => {
  test.for(fixtureNames)('prints %s exactly as Kafka reads it', async (name, context) => {
    if (fixturesMissing !== null) return context.skip(fixturesMissing)
    const { code, out } = await run('dump', join(fixtures, name), '--records', '--json', '--digest')
    expect(code).toBe(0)
    expect(out).toBe(readFileSync(join(fixtures, `${name}.expected.jsonl`), 'utf8'))
  })
})

describe('varve dump', () => {
  test('prints the segment files of a partition in the order of their names', async () => {
    const { code, stdout } = await run('dump', orders, '--json')
    expect(code).toBe(0)
    const files = stdout.documents.map(({ file }) => file)
    expect(files).toEqual(files.toSorted())
    const logs = stdout.documents.filter(({ type }) => type === 'log')
    expect(logs).toMatchObject([
      { file: '00000000000000000000.log', batches: 2, records: 10, stop: 'eof' },
      { file: '00000000000000000010.log', batches: 2, records: 10, stop: 'eof' },
      { file: '00000000000000000020.log', batches: 2, records: 10, stop: 'eof' },
    ])
    for (const { bytes, validBytes } of logs) expect(validBytes).toBe(bytes)
  })

  test('names the partition too when it is given a data directory', async () => {
    const { stdout } = await run('dump', data, '--json')
    expect(stdout.documents[0].file).toMatch(/^orders-0\/0{20}\./)
  })

  test('--from begins at an offset, in the right segment, with a record in the middle', async () => {
    const { stdout } = await run('dump', orders, '--records', '--json', '--from', '12')
    const batches = stdout.documents.filter(({ type }) => type === 'batch')
    const offsets = batches.flatMap(({ records }) =>
      records.map(({ offset }: { offset: number }) => offset),
    )
    expect(offsets).toEqual(Array.from({ length: 18 }, (_, index) => 12 + index))
    expect(stdout.documents.some(({ file }) => file.startsWith('00000000000000000000'))).toBe(false)
  })

  test('--max stops after so many batches, or records where these are printed', async () => {
    const batches = await run('dump', orders, '--json', '--max', '3')
    expect(batches.stdout.documents.map(({ type }) => type)).toEqual([
      ...['batch', 'batch', 'log'],
      ...['batch', 'log'],
    ])
    expect(batches.stdout.documents.at(-1)).toMatchObject({ stop: 'max', validBytes: null })
    const records = await run('dump', orders, '--json', '--records', '--max', '7')
    const printed = records.stdout.documents.flatMap((line) => line.records ?? [])
    const inBatches = printed.filter((record: unknown) => typeof record === 'object')
    expect(inBatches).toHaveLength(7)
  })

  test('prints for people: positions, records, text and binary', async () => {
    const { code, out } = await run('dump', orders, '--records', '--max', '2')
    expect(code).toBe(0)
    expect(out).toContain('@0')
    expect(out).toContain('offsets 0 to 4')
    expect(out).toContain('"k1"  "v"')
  })

  test('encodes large values whole, piece by piece, unless a digest is asked for', async () => {
    const value = Buffer.alloc(1_000_001, 'abc')
    const batch = new RecordBatchBuilder({ defaultTimestamp: 1 }).append({ value }).build()
    const path = `${temporary.path}/00000000000000000000.log`
    writeFileSync(path, batch.bytes)
    const whole = await run('dump', path, '--records', '--json')
    const [{ records }] = whole.stdout.documents
    expect(Buffer.from(records[0].value, 'base64').equals(value)).toBe(true)
    const digest = await run('dump', path, '--records', '--json', '--digest')
    expect(digest.stdout.documents[0].records[0].value).toMatchObject({ length: value.length })
  })

  test.each([
    ['leader-epoch-checkpoint', { type: 'leader-epochs', sanity: 'ok', entries: [[0, 0]] }],
    ['partition.metadata', { type: 'metadata', sanity: 'ok', topicId: expect.any(String) }],
    ['00000000000000000000.digest', { type: 'digest', sanity: 'ok', batches: 2, nextOffset: 10 }],
    ['../recovery-point-offset-checkpoint', { type: 'offsets', entries: [['orders-0', 30]] }],
    ['../.kafka_cleanshutdown', { type: 'text', lines: [expect.stringContaining('version')] }],
  ])('prints the file %s when it is named', async (name, expected) => {
    const { code, stdout } = await run('dump', join(orders, name), '--json')
    expect(code).toBe(0)
    expect(stdout.documents).toMatchObject([expected])
    expect((await run('dump', join(orders, name))).code).toBe(0)
  })

  test.each(['.deleted', '.cleaned', '.swap', '.broken', '.4096.broken'])(
    'reads files with the suffix %s as what they were',
    async (suffix) => {
      for (const kind of ['log', 'index', 'timeindex']) {
        const name = `00000000000000000010.${kind}`
        copyFileSync(join(orders, name), join(temporary.path, name + suffix))
        const { code, stdout } = await run('dump', join(temporary.path, name + suffix), '--json')
        expect(code).toBe(0)
        expect(stdout.documents.at(-1)).toMatchObject({ file: name + suffix, type: kind })
      }
    },
  )

  test('streams a long index with the same entries as a short one, and sees past chunks', async () => {
    const entries = 40_000
    const bytes = Buffer.alloc(entries * 8)
    for (let entry = 0; entry < entries; entry += 1) {
      bytes.writeUInt32BE(entry * 3 + 1, entry * 8)
      bytes.writeUInt32BE(entry * 100, entry * 8 + 4)
    }
    const path = `${temporary.path}/00000000000000001000.index`
    writeFileSync(path, bytes)
    const good = await run('dump', path, '--json')
    expect(good.stdout.documents[0]).toMatchObject({ sanity: 'ok', slots: entries })
    expect(good.stdout.documents[0].entries).toHaveLength(entries)
    expect(good.stdout.documents[0].entries.at(-1)).toEqual([120_998, 3_999_900])
    bytes.writeUInt32BE(0, 20_000 * 8)
    writeFileSync(path, bytes)
    const bad = await run('dump', path, '--json')
    expect(bad.code).toBe(1)
    expect(bad.stdout.documents[0].sanity).toContain('damaged at 160000')
    expect(bad.stdout.documents[0].entries).toHaveLength(20_000)
  })

  test('zeros behind the entries of an index are space, not damage', async () => {
    const path = `${temporary.path}/00000000000000000010.index`
    const index = readFileSync(join(orders, '00000000000000000010.index'))
    writeFileSync(path, Buffer.concat([index, Buffer.alloc(1_000_000)]))
    const { code, stdout } = await run('dump', path, '--json')
    expect(code).toBe(0)
    expect(stdout.documents[0].sanity).toBe(`zeros from ${index.length} on`)
  })
})

describe('varve dump, of damaged files', () => {
  const path = `${temporary.path}/damaged/00000000000000000000.log`
  const whole = () => readFileSync(join(orders, '00000000000000000000.log'))
  beforeAll(() => mkdirSync(`${temporary.path}/damaged`, { recursive: true }))

  test('shows a batch whose checksum is wrong, says so, and goes on behind it', async () => {
    const bytes = whole()
    bytes.writeUInt8((bytes.at(-1) ?? 0) ^ 1, 100)
    writeFileSync(path, bytes)
    const { code, stdout } = await run('dump', path, '--records', '--json')
    expect(code).toBe(1)
    const [first, second, log] = stdout.documents
    expect(first).toMatchObject({ type: 'batch', baseOffset: 0 })
    expect(first.error).toMatch(/CRC/)
    expect(first.records).toBeUndefined()
    expect(second.records).toHaveLength(5)
    expect(log).toMatchObject({ validBytes: 0, batches: 1, records: 5 })
    expect(log.stop).toMatch(/^damaged at 0: /)
  })

  test('says where a log is cut short', async () => {
    const bytes = whole()
    writeFileSync(path, bytes.subarray(0, bytes.length - 3))
    const { code, stdout } = await run('dump', path, '--json')
    expect(code).toBe(1)
    const [batch, log] = stdout.documents
    expect(log).toMatchObject({ validBytes: batch.size, batches: 1 })
    expect(log.stop).toMatch(/^damaged at \d+: a batch of \d+ bytes, of which \d+ are there$/)
  })

  test('random bytes in any file are findings or nothing, never a crash', async () => {
    const seed = Number(process.env['VARVE_SEED'] ?? randomInt(2 ** 31))
    const random = new Random(seed)
    const names = [
      ...['log', 'index', 'timeindex', 'txnindex', 'snapshot', 'digest'].map(
        (kind) => `00000000000000000000.${kind}`,
      ),
      ...['leader-epoch-checkpoint', 'progress', 'partition.metadata'],
      ...['recovery-point-offset-checkpoint', 'meta.properties'],
    ]
    for (let round = 0; round < 5; round += 1) {
      for (const name of names) {
        const bytes = Buffer.from(Array.from({ length: random.int(3000) }, () => random.int(256)))
        const hostile = `${temporary.path}/damaged/${name}`
        writeFileSync(hostile, bytes)
        for (const verb of [
          ['dump', hostile, '--records', '--json'],
          ['dump', hostile, '--records'],
          ['inspect', hostile],
          ['inspect', hostile, '--json'],
        ]) {
          const { code, err } = await run(...verb)
          expect([0, 1], `seed ${seed}: ${verb.join(' ')}: ${err}`).toContain(code)
        }
      }
      const { code, err } = await run('inspect', `${temporary.path}/damaged`, '--json')
      expect([0, 1], `seed ${seed}: ${err}`).toContain(code)
    }
  })

  test('a file of no known name is a failure that says what would be known', async () => {
    const other = `${temporary.path}/notes.txt`
    writeFileSync(other, 'hello')
    const { code, err } = await run('dump', other)
    expect(code).toBe(3)
    expect(err).toContain('.timeindex')
  })
})
