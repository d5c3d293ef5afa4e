import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { LogDirectory } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { run, runWith } from './captured-io.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

let directories = 0
function newDirectory(): string {
  directories += 1
  return `${temporary.path}/data-${directories}`
}

interface Kept {
  readonly key: string | null
  readonly value: string | null
}

async function recordsOf(data: string, partition = 0): Promise<Kept[]> {
  await using directory = await LogDirectory.open(data)
  const records: Kept[] = []
  for await (const { key, value } of directory
    .log('orders', partition)
    .reader({ from: 0 })
    .records()) {
    records.push({
      key: key === null ? null : key.toString('latin1'),
      value: value === null ? null : value.toString('latin1'),
    })
  }
  return records
}

describe('varve produce', () => {
  test('appends a record per line, wherever the chunks of the input begin and end', async () => {
    const data = newDirectory()
    const input = ['one\ntw', 'o', '\n\nthree', '\nfour']
    const { code, out } = await runWith({ input }, 'produce', 'orders', '--data', data)
    expect(code).toBe(0)
    expect(out).toContain('orders-0: 5 records, 15 B, offsets 0 to 4, acknowledged as flushed')
    const values = (await recordsOf(data)).map(({ value }) => value)
    expect(values).toEqual(['one', 'two', '', 'three', 'four'])
  })

  test('keeps bytes that are no text, and carriage returns, as they are', async () => {
    const data = newDirectory()
    const input = [Buffer.from([0xff, 0x00, 0x0d, 0x0a, 0x80])]
    expect((await runWith({ input }, 'produce', 'orders', '--data', data)).code).toBe(0)
    const values = (await recordsOf(data)).map(({ value }) => value)
    expect(values).toEqual(['\u00ff\u0000\r', '\u0080'])
  })

  test('splits keys off at the first separator, and takes \\t for a tab', async () => {
    const data = newDirectory()
    const argv = ['produce', 'orders', '--data', data, '--key-separator', '\\t']
    expect((await runWith({ input: ['a\t1\t2\n\tempty key\n'] }, ...argv)).code).toBe(0)
    expect(await recordsOf(data)).toEqual([
      { key: 'a', value: '1\t2' },
      { key: '', value: 'empty key' },
    ])
  })

  test('takes a doubled backslash in the key separator for one', async () => {
    const data = newDirectory()
    const argv = ['produce', 'orders', '--data', data, '--key-separator', '\\\\t']
    expect((await runWith({ input: ['a\\tb\n'] }, ...argv)).code).toBe(0)
    expect(await recordsOf(data)).toEqual([{ key: 'a', value: 'b' }])
  })

  test.each([
    ['--key-separator', ''],
    ['--partition', '1000'],
    ['--partition', '2147483648'],
  ])('refuses %s %s, and makes no log', async (name, value) => {
    const data = newDirectory()
    const argv = ['produce', 'orders', '--data', data, name, value]
    const { code, out, err } = await runWith({ input: ['a\n'] }, ...argv)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(name)
    expect(existsSync(`${data}/orders-0`)).toBe(false)
  })

  test('a line without the separator stops it, and is named; what came before is kept', async () => {
    const data = newDirectory()
    const argv = ['produce', 'orders', '--data', data, '--key-separator', '=']
    const { code, out, err } = await runWith({ input: ['a=1\n', 'b=2\nc\n'] }, ...argv)
    expect(code).toBe(2)
    expect(err).toContain("'line 3'")
    expect(out).toContain('offsets 0 to 0')
    expect(await recordsOf(data)).toEqual([{ key: 'a', value: '1' }])
  })

  test('makes the partitions up to the one that is asked for', async () => {
    const data = newDirectory()
    const argv = ['produce', 'orders', '--data', data, '--partition', '2']
    expect((await runWith({ input: ['x\n'] }, ...argv)).code).toBe(0)
    for (const partition of [0, 1, 2]) expect(existsSync(`${data}/orders-${partition}`)).toBe(true)
    expect(await recordsOf(data, 2)).toHaveLength(1)
    expect(await recordsOf(data, 0)).toHaveLength(0)
  })

  test('a topic that is there does not grow by a slip of the finger', async () => {
    const data = newDirectory()
    const argv = ['produce', 'orders', '--data', data, '--partition']
    await runWith({ input: ['x\n'] }, ...argv, '1')
    const { code, err } = await runWith({ input: ['x\n'] }, ...argv, '9')
    expect(code).toBe(3)
    expect(err).toContain("topic 'orders' has 2 partitions, counted from 0: none is 9")
    expect(err).toContain('varve topic alter --partitions')
    expect(existsSync(`${data}/orders-2`)).toBe(false)
  })

  test.each(['none', 'written', 'flushed'])(
    'says what was appended, with --acks %s',
    async (acks) => {
      const data = newDirectory()
      const argv = ['produce', 'orders', '--data', data, '--acks', acks, '--json']
      await runWith({ input: ['before\n'] }, ...argv)
      const { code, stdout } = await runWith({ input: ['one\n', 'two\nthree\n'] }, ...argv)
      expect(code).toBe(0)
      expect(stdout.documents).toEqual([
        {
          topic: 'orders',
          partition: 0,
          acks,
          records: 3,
          bytes: 11,
          firstOffset: 1,
          lastOffset: 3,
          elapsedMs: expect.any(Number),
          recordsPerSecond: expect.any(Number),
          bytesPerSecond: expect.any(Number),
          complete: true,
        },
      ])
      expect(await recordsOf(data)).toHaveLength(4)
    },
  )

  test('reads a file, compresses, and takes lines longer than what is read at once', async () => {
    const data = newDirectory()
    const path = `${temporary.path}/lines.txt`
    const long = 'x'.repeat(3_000_000)
    writeFileSync(path, `short\n${long}\nlast`)
    const argv = ['produce', 'orders', '--data', data, '--file', path, '--compression', 'gzip']
    expect((await run(...argv)).code).toBe(0)
    const values = (await recordsOf(data)).map(({ value }) => value)
    expect(values).toEqual(['short', long, 'last'])
  })

  test('refuses a line longer than the limit without gathering more of it', async () => {
    const data = newDirectory()
    const argv = ['produce', 'orders', '--data', data, '--max-message-bytes', '2000']
    let chunks = 0
    async function* endless(): AsyncGenerator<string> {
      yield 'fine\n'
      for (;;) {
        chunks += 1
        yield 'y'.repeat(500)
      }
    }
    const { code, err } = await runWith({ input: endless() }, ...argv)
    expect(code).toBe(2)
    expect(err).toContain("'line 2'")
    expect(chunks).toBeLessThan(8)
    expect(await recordsOf(data)).toHaveLength(1)
  })

  test('with an empty input nothing is appended, and that is said', async () => {
    const { code, out } = await runWith({}, 'produce', 'orders', '--data', newDirectory())
    expect(code).toBe(0)
    expect(out).toContain('0 records, 0 B, nothing appended')
  })

  test('a file that is not there leaves no data directory behind', async () => {
    const data = newDirectory()
    const { code } = await run('produce', 'orders', '--data', data, '--file', '/no/such/file')
    expect(code).toBe(3)
    expect(existsSync(data)).toBe(false)
  })

  test('interrupted, it keeps what it has read and leaves out the line that had not ended', async () => {
    const data = newDirectory()
    const controller = new AbortController()
    async function* typed(): AsyncGenerator<string> {
      yield 'one\ntwo\nthr'
      controller.abort()
      yield 'ee\n'
    }
    const given = { input: typed(), signal: controller.signal, inputIsTerminal: true }
    const { code, out } = await runWith(given, 'produce', 'orders', '--data', data)
    expect(code).toBe(0)
    expect(out).toContain('offsets 0 to 1')
    const values = (await recordsOf(data)).map(({ value }) => value)
    expect(values).toEqual(['one', 'two'])
  })

  test('interrupted while it reads a pipe, it fails: the rest of the input is missing', async () => {
    const controller = new AbortController()
    async function* piped(): AsyncGenerator<string> {
      yield 'one\n'
      controller.abort()
      yield 'two\n'
    }
    const given = { input: piped(), signal: controller.signal }
    const argv = ['produce', 'orders', '--data', newDirectory(), '--json']
    const { code, stdout, err } = await runWith(given, ...argv)
    expect(code).toBe(3)
    expect(stdout.documents).toMatchObject([{ records: 1, complete: false }])
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'VARVE_INTERRUPTED' } })
  })

  test('a data directory that somebody has open for writing is not touched', async () => {
    const data = newDirectory()
    await using directory = await LogDirectory.open(data)
    const { code, err } = await runWith({ input: ['x\n'] }, 'produce', 'orders', '--data', data)
    expect(code).toBe(3)
    expect(err).toContain('locked')
    expect(directory.logs.size).toBe(0)
  })

  test('a partition far beyond those that are there is not made by a slip of the finger', async () => {
    const data = newDirectory()
    const argv = ['produce', 'orders', '--data', data, '--partition']
    const { code, err } = await runWith({ input: ['x\n'] }, ...argv, '2147483647')
    expect(code).toBe(2)
    expect(err).toContain('varve topic')
    expect(readdirSync(data).filter((name) => name.startsWith('orders'))).toEqual([])
  })
})
