import { existsSync, readFileSync } from 'node:fs'
import { openDataDirectory } from '@varve/broker'
import { makeTemporaryDirectory, type TemporaryDirectory } from '@varve/log/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from './captured-io.ts'
import { makeHistory, recordsIn } from './history-fixture.ts'

let root: TemporaryDirectory
const at = (name: string): string => `${root.path}/${name}`

beforeEach(async () => {
  root = makeTemporaryDirectory()
  await makeHistory(root.path)
})

afterEach(() => {
  root[Symbol.dispose]()
})

describe('varve replay', () => {
  test('brings records and groups into another data directory, once however often it runs', async () => {
    const before = await recordsIn(at('data'))
    const target = ['--to', at('target'), '--map', at('map.jsonl'), '--groups']
    const first = await run('replay', at('repository'), ...target)
    expect(first.err).toBe('')
    expect(first.code).toBe(0)
    expect(first.stdout.text).toContain('60 records replayed')
    expect(first.stdout.text).toContain('made: orders; they keep everything')
    expect(first.stdout.text).toContain('groups moved: billing')
    const again = await run('replay', at('repository'), ...target, '--json')
    expect(again.stdout.documents[0]).toMatchObject({ records: 0, groups: ['billing'] })
    expect(await recordsIn(at('target'))).toEqual(before)
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
      expect(await recordsIn(at(`t${index}`), 'o')).toEqual([wanted.map((n) => `v${n}`), []])
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
