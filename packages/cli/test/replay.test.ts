import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { DirectoryTarget, inlineEncoder, Repository, runBackup } from '@varve/backup'
import { openDataDirectory } from '@varve/broker'
import { nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory, type TemporaryDirectory } from '@varve/log/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from './captured-io.ts'

let root: TemporaryDirectory
const at = (name: string): string => `${root.path}/${name}`

const headers = [{ key: 'kind', value: 'even' }]

/** A data directory with a topic of which a group has read some, and a backup of it. */
beforeEach(async () => {
  root = makeTemporaryDirectory()
  await using varve = await openDataDirectory(at('data'), { cleaning: false })
  await varve.createTopic('orders', { partitions: 2, retentionMs: 1000, segmentBytes: 2000 })
  const producer = varve.producer()
  for (let index = 0; index < 60; index++) {
    const record = {
      key: `k${index % 3}`,
      value: `v${index}`.padEnd(60),
      timestamp: Date.UTC(2026, 0, 1 + index),
      ...(index % 2 === 0 && { headers }),
    }
    await producer.send('orders', record, { partition: index % 2 })
  }
  await (await varve.groups()).resetOffsets('billing', [
    { topic: 'orders', partition: 1, offset: 7 },
  ])
  for (const partition of [0, 1]) await varve.log('orders', partition).settle()
  const repository = await Repository.create(new DirectoryTarget(at('repository')))
  const options = { encoder: inlineEncoder(nodeFileSystem), threads: 1 }
  await runBackup(repository, varve.backupSource(), options)
})

afterEach(() => {
  root[Symbol.dispose]()
})

async function recordsIn(data: string, topic = 'orders'): Promise<readonly string[][]> {
  await using varve = await openDataDirectory(at(data), { cleaning: false })
  const all: string[][] = []
  for (const partition of [0, 1]) {
    const values: string[] = []
    const reader = varve.log(topic, partition).reader({ from: 0, isolation: 'committed' })
    for await (const { value } of reader.records()) values.push(String(value).trimEnd())
    all.push(values)
  }
  return all
}

describe('varve replay', () => {
  test('brings records and groups into another data directory, once however often it runs', async () => {
    const before = await recordsIn('data')
    const target = ['--to', at('target'), '--map', at('map.jsonl'), '--groups']
    const first = await run('replay', at('repository'), ...target)
    expect(first.err).toBe('')
    expect(first.code).toBe(0)
    expect(first.stdout.text).toContain('60 records replayed')
    expect(first.stdout.text).toContain('made: orders; they keep everything')
    expect(first.stdout.text).toContain('groups moved: billing')
    const again = await run('replay', at('repository'), ...target, '--json')
    expect(again.stdout.documents[0]).toMatchObject({ records: 0, groups: ['billing'] })
    expect(await recordsIn('target')).toEqual(before)
    await using varve = await openDataDirectory(at('target'), { cleaning: false })
    const { settings } = await varve.describeTopic('orders')
    expect(settings).toMatchObject({ retentionMs: -1, segmentBytes: 2000 })
    const { offsets } = await (await varve.groups()).describe('billing')
    expect(offsets).toMatchObject([{ partition: 1, offset: 7 }])
    expect(readFileSync(at('map.jsonl'), 'utf8')).toContain('"runs":[[0,30,0]]')
  })

  test('filters, renames, and takes a data directory or an export as its source', async () => {
    const filter = ['--record-key', 'k1', '--record-key', 'k2', '--header', 'kind=even']
    const times = ['--since', '2026-01-10', '--until', '2026-02-10T00:00Z']
    const exported = await run('backup', 'export', at('repository'), at('orders.db'))
    expect(exported.code).toBe(0)
    for (const [index, source] of ['repository', 'data', 'orders.db'].entries()) {
      const target = ['--to', at(`t${index}`), '--map', at(`m${index}`)]
      const renamed = [...target, '--rename', 'orders=o', '--keep-retention']
      const twice = ['--backup', 'no such', '--backup', 'latest']
      const wishes = [...filter, ...times, ...renamed, ...twice]
      const { code, err } = await run('replay', at(source), ...wishes)
      expect(err).toBe('')
      expect(code).toBe(0)
      const wanted = Array.from({ length: 60 }, (_, number) => number).filter(
        (number) => number % 3 > 0 && number % 2 === 0 && number >= 9 && number < 40,
      )
      expect(await recordsIn(`t${index}`, 'o')).toEqual([wanted.map((n) => `v${n}`), []])
    }
  })

  test('refuses arguments that make no sense', async () => {
    const to = ['--to', at('target'), '--map', at('map')]
    for (const [text, ...wrong] of [
      ['--rename', '--rename', 'a'],
      ['--since', '--since', 'tomorrow'],
      ['from-offset', '--from-offset', '-1'],
      ['--sasl-mechanism', '--sasl-mechanism', 'PLAIN'],
    ] as const) {
      const { code, err } = await run('replay', at('repository'), ...to, ...wrong)
      expect(code).not.toBe(0)
      expect(err).toContain(text)
    }
    expect(existsSync(at('map'))).toBe(false)
  })
})

describe('varve backup export and import', () => {
  test('make a database, and a data directory of it', async () => {
    const exported = await run('backup', 'export', at('repository'), at('a.db'), '--json')
    expect(exported.stdout.documents[0]).toMatchObject({ records: 60, groupOffsets: 1 })
    const imported = await run('backup', 'import', at('a.db'), at('imported'))
    expect(imported.err).toBe('')
    expect(imported.stdout.text).toContain('1 topic, 2 partitions imported')
    expect(await recordsIn('imported')).toEqual(await recordsIn('data'))
    expect((await run('verify', at('imported'))).code).toBe(0)
    expect((await run('backup', 'import', at('a.db'), at('imported'))).code).not.toBe(0)
    writeFileSync(at('no.db'), 'nothing of the kind')
    expect((await run('backup', 'import', at('no.db'), at('b'))).code).toBe(3)
  })
})

describe('varve backup heal', () => {
  test('shows what is damaged, and heals it when it is told to', async () => {
    const heal = ['backup', 'heal', at('repository'), at('data')]
    expect((await run(...heal)).stdout.text).toBe('no segment is damaged\n')
    const before = await recordsIn('data')
    const path = at('data/orders-0/00000000000000000000.log')
    const bytes = readFileSync(path)
    const rotten = Buffer.from(bytes)
    rotten[500] = (rotten[500] ?? 0) ^ 4
    writeFileSync(path, rotten)
    const shown = await run(...heal)
    expect(shown.code).toBe(1)
    expect(shown.stdout.text).toContain(`${path}  would be healed from`)
    expect(readFileSync(path)).toEqual(rotten)
    const healed = await run(...heal, '--execute')
    expect(healed.code).toBe(0)
    expect(healed.stdout.text).toContain('0 of 1 are damaged')
    expect(readFileSync(path)).toEqual(bytes)
    expect(await recordsIn('data')).toEqual(before)
    expect((await run('verify', at('data'))).code).toBe(0)
  })
})
