import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeTemporaryDirectory, type TemporaryDirectory } from '@varve/log/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pointOf, renamesOf, selectionOf, timeOf } from '../src/backup/restore-wishes.ts'
import { hashTree, run, runWith } from './captured-io.ts'

let temporary: TemporaryDirectory
const at = (name: string): string => join(temporary.path, name)

beforeEach(async () => {
  temporary = makeTemporaryDirectory()
  await produce(1, 100)
})

afterEach(() => temporary[Symbol.dispose]())

async function produce(from: number, to: number): Promise<void> {
  const input = Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`)
  const { code, err } = await runWith({ input }, 'produce', 'orders', '--data', at('data'))
  expect(err).not.toContain('varve:')
  expect(code).toBe(0)
}

async function values(data: string): Promise<readonly string[]> {
  const { out } = await run('consume', 'orders', '--data', data)
  return out.split('\n').filter((line) => line !== '')
}

const numbers = (to: number): readonly string[] =>
  Array.from({ length: to }, (_, index) => String(index + 1))

async function ran(...argv: readonly string[]) {
  const result = await run(...argv)
  expect([argv.join(' '), result.code, result.err]).toEqual([argv.join(' '), 0, ''])
  return result
}

describe('varve backup', () => {
  test('takes backups, lists, shows and verifies them, and restores each', async () => {
    await ran('backup', 'init', at('backups'))
    await ran('backup', 'run', at('data'), at('backups'), '--full')
    await produce(101, 150)
    const second = await ran(
      ...['backup', 'run', at('data'), at('backups'), '--point', 'noon', '--tag', 'a', '--json'],
    )
    const [report] = second.stdout.documents
    expect(report).toMatchObject({ kind: 'incremental', partitions: 1, gaps: [], sequence: 2 })
    const listed = await ran('backup', 'list', at('backups'), '--json')
    expect(listed.stdout.documents).toMatchObject([
      { kind: 'full', verification: null, source: at('data') },
      { backupId: report.backupId, point: 'noon', tags: ['a'], base: report.base },
    ])
    const shown = await ran('backup', 'show', at('backups'), 'noon')
    expect(shown.out).toMatch(/orders-0 +0 +150 /)
    const verified = await ran('backup', 'verify', at('backups'))
    expect(verified.out).toMatch(/^2 backups: \d objects .*\nall is sound\n$/)
    expect((await ran('backup', 'list', at('backups'))).out).toContain('sound')

    const { backupId } = listed.stdout.documents[0]
    await ran('restore', at('backups'), '--to', at('first'), '--backup', backupId)
    await ran('restore', at('backups'), '--to', at('second'))
    expect(await values(at('first'))).toEqual(numbers(100))
    expect(await values(at('second'))).toEqual(numbers(150))
  })

  test('several repositories get the same backup', async () => {
    await ran('backup', 'init', at('one'))
    await ran('backup', 'init', at('two'))
    const { stdout } = await ran('backup', 'run', at('data'), at('one'), at('two'), '--json')
    expect(stdout.documents).toMatchObject([{ repository: at('one') }, { repository: at('two') }])
  })

  test('damage is a finding with its records, and nothing is proven of an empty repository', async () => {
    await ran('backup', 'init', at('backups'))
    const empty = await run('backup', 'verify', at('backups'))
    expect([empty.code, empty.out]).toEqual([1, expect.stringContaining('there is no backup here')])
    await ran('backup', 'run', at('data'), at('backups'))
    for (const entry of readdirSync(at('backups/objects'), {
      recursive: true,
      withFileTypes: true,
    })) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      const bytes = readFileSync(path)
      // The partition's list stays whole: only data is hurt.
      if (bytes[5] !== 0) continue
      bytes[90] = (bytes[90] ?? 0) ^ 1
      writeFileSync(path, bytes)
    }
    const { code, out } = await run('backup', 'verify', at('backups'))
    expect(code).toBe(1)
    expect(out).toContain('orders-0, offsets 0 to before 100')
    const refused = await run('restore', at('backups'), '--to', at('restored'))
    expect(refused.code).toBe(3)
    expect(existsSync(at('restored'))).toBe(false)
  })

  test('an encrypted repository opens to its keys only, and keys come and go', async () => {
    writeFileSync(at('pass'), 'a secret phrase\n')
    execFileSync(
      'openssl',
      [
        ...[
          'genpkey',
          '-algorithm',
          'RSA',
          '-pkeyopt',
          'rsa_keygen_bits:2048',
          '-out',
          at('private'),
        ],
      ],
      { stdio: 'ignore' },
    )
    execFileSync('openssl', ['pkey', '-in', at('private'), '-pubout', '-out', at('public')])
    await ran('backup', 'init', at('backups'), '--recipient', at('public'))
    const reading = ['--key', at('private')]
    await ran('backup', 'keys', 'export-writer', at('backups'), ...reading, '--out', at('writer'))
    expect(statSync(at('writer')).mode & 0o777).toBe(0o600)
    await ran('backup', 'run', at('data'), at('backups'), '--key', at('writer'))
    const writer = await run('backup', 'list', at('backups'), '--key', at('writer'))
    expect([writer.code, writer.err]).toEqual([3, expect.stringContaining('not read them')])
    expect((await run('backup', 'list', at('backups'))).code).toBe(3)

    await ran(
      'backup',
      'keys',
      'add',
      at('backups'),
      ...reading,
      '--new-passphrase-file',
      at('pass'),
    )
    await ran('backup', 'verify', at('backups'), '--passphrase-file', at('pass'))
    const keys = await ran('backup', 'keys', 'list', at('backups'), ...reading, '--json')
    const byKey = keys.stdout.documents.find(({ kind }) => kind === 'public key')
    const passing = ['--passphrase-file', at('pass')]
    await ran('backup', 'keys', 'export-reader', at('backups'), ...passing, '--out', at('reader'))
    await ran('backup', 'keys', 'remove', at('backups'), byKey.id, ...passing)
    expect((await run('backup', 'list', at('backups'), ...reading)).code).toBe(3)
    await ran('restore', at('backups'), '--to', at('restored'), '--key', at('reader'))
    expect(await values(at('restored'))).toEqual(numbers(100))
    const again = await run(
      ...['backup', 'keys', 'export-reader', at('backups'), ...passing, '--out', at('reader')],
    )
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('is there already')])
  })

  test('a schedule runs backups until it is told to end', async () => {
    await ran('backup', 'init', at('backups'))
    const ending = new AbortController()
    setTimeout(() => ending.abort(), 2500)
    const { code, stdout } = await runWith(
      { signal: ending.signal },
      ...['backup', 'schedule', at('data'), at('backups'), '--cron', '* * * * * *', '--json'],
    )
    expect(code).toBe(0)
    const taken = stdout.documents.filter(({ backupId }) => backupId !== undefined)
    expect(taken.length).toBeGreaterThan(0)
  })
})

describe('varve restore', () => {
  beforeEach(async () => {
    await ran('backup', 'init', at('backups'))
    await ran('backup', 'run', at('data'), at('backups'))
  })

  test('goes to an offset in place, keeps what was there, and is undone', async () => {
    await produce(101, 120)
    const before = hashTree(join(at('data'), 'orders-0'))
    const place = ['restore', at('backups'), '--to', at('data')]
    expect((await run(...place)).code).toBe(3)
    const { out } = await ran(...place, '--in-place', '--offset', 'orders-0=42')
    expect(out).toContain('--undo puts it back')
    expect(await values(at('data'))).toEqual(numbers(42))
    await ran('restore', '--undo', '--to', at('data'))
    expect(hashTree(join(at('data'), 'orders-0'))).toEqual(before)
  })

  test('only says what it would do, renames, chooses, and lets retention be released', async () => {
    const dry = await ran('restore', at('backups'), '--to', at('copy'), '--dry-run')
    expect(dry.out).toContain('nothing was changed')
    expect(existsSync(at('copy'))).toBe(false)
    await ran(
      'restore',
      at('backups'),
      '--to',
      at('copy'),
      '--rename',
      'orders=old',
      '--topic',
      'orders',
    )
    expect(readdirSync(at('copy'))).toContain('old-0')
    expect((await ran('retention', 'release', '--data', at('copy'))).out).toContain('goes on')
    expect((await ran('retention', 'release', '--data', at('copy'))).out).toContain('was not held')
    const none = await run('restore', at('backups'), '--to', at('none'), '--topic', 'nothing')
    expect([none.code, existsSync(at('none'))]).toEqual([3, false])
  })

  test('a moment before the first record leaves an empty log', async () => {
    await ran('restore', at('backups'), '--to', at('empty'), '--at', '2001-01-01T00:00:00Z')
    expect(await values(at('empty'))).toEqual([])
    rmSync(at('empty'), { recursive: true })
  })

  test.each([
    [['--offset', 'orders=1']],
    [['--at', 'soon']],
    [['--rename', 'a']],
    [['--at', '1', '--stable']],
    [['--undo', '--in-place']],
  ])('%j is a usage error', async (argv) => {
    const { code } = await run('restore', at('backups'), '--to', at('x'), ...argv)
    expect(code).toBe(2)
  })
})

test('wishes are read as they are written', () => {
  const none = { offsets: [], stable: false, topics: [], renames: [] }
  expect(pointOf(none)).toEqual({ kind: 'end' })
  expect(pointOf({ ...none, stable: true })).toEqual({ kind: 'stable' })
  expect(timeOf('1700000000000')).toBe(1_700_000_000_000)
  expect(timeOf('2026-11-21T06:00:00Z')).toBe(Date.UTC(2026, 10, 21, 6))
  expect(pointOf({ ...none, offsets: ['a-b-0=7'] })).toEqual({
    kind: 'offsets',
    offsets: new Map([['a-b-0', 7]]),
  })
  expect(selectionOf(none)).toBeNull()
  const selected = selectionOf({ ...none, topics: ['a', 'b:1'] })
  expect([selected?.('a', 5), selected?.('b', 1), selected?.('b', 0)]).toEqual([true, true, false])
  expect(renamesOf({ ...none, renames: ['a=b'] })).toEqual(new Map([['a', 'b']]))
})
