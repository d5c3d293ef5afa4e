import {
  groupOffsets,
  type RecordHistory,
  type ReplayOptions,
  ReplayRefusedError,
  type ReplayReport,
  replayHistory,
} from '@varve/backup'
import { Random, type SimulatedFileSystem, seedFromEnvironment } from '@varve/log/testing'
import { describe, expect, test } from 'vitest'
import { readGroupOffset, settingsInHistory } from '../../src/backup/history-facts.ts'
import { VarveReplaySink } from '../../src/backup/varve-replay-sink.ts'
import { type DirectoryVarve, openDataDirectory } from '../../src/directory-varve.ts'
import { errorOf, type Machine, newMachine, openOn } from '../broker-fixture.ts'
import {
  backUp,
  committedRecords,
  contentOf,
  fillAtRandom,
  mapPath,
  onFileSystem,
  targetPath,
  writeAtRandom,
} from './replay-fixture.ts'

interface Scene {
  readonly machine: Machine
  readonly source: DirectoryVarve
}

async function openSource(): Promise<Scene> {
  const machine = newMachine()
  machine.fs.makeDirectories('/maps')
  machine.fs.makeDirectories('/backups')
  const source = onFileSystem(await openOn(machine, { cleaning: false }), machine.fs)
  return { machine, source }
}

function openTarget(machine: Machine): Promise<DirectoryVarve> {
  return openDataDirectory(targetPath, { ...machine, cleaning: false })
}

async function replay(
  machine: Machine,
  target: DirectoryVarve,
  history: RecordHistory,
  options: Partial<ReplayOptions> = {},
): Promise<ReplayReport> {
  await using sink = new VarveReplaySink(target, {
    name: targetPath,
    settings: settingsInHistory(history),
  })
  const { fs, clock } = machine
  return await replayHistory(history, sink, { map: mapPath, fs, clock, ...options })
}

/** Source offset to target offset, from the map as a program reads it. */
function mapOf(fs: SimulatedFileSystem, path = mapPath): Map<string, number> {
  const found = new Map<string, number>()
  const lines = fs.bytesOf(path).toString().trimEnd().split('\n').slice(1)
  for (const line of lines) {
    const { topic, partition, runs } = JSON.parse(line)
    for (const [source, count, to] of runs) {
      for (let index = 0; index < count; index++) {
        const place = `${topic}-${partition}/${source + index}`
        expect(found.has(place), `${place} is there once`).toBe(false)
        found.set(place, to + index)
      }
    }
  }
  return found
}

const partitions = [
  ['plain', 0],
  ['plain', 1],
  ['mixed', 0],
  ['mixed', 1],
  ['empty', 2],
] as const

/** All committed records of the source, and nothing else, in order; and the map says where. */
async function expectSame(
  source: DirectoryVarve,
  target: DirectoryVarve,
  fs: SimulatedFileSystem,
): Promise<number> {
  const map = mapOf(fs)
  let records = 0
  for (const [topic, partition] of partitions) {
    const before = await committedRecords(source.log(topic, partition))
    const after = await committedRecords(target.log(topic, partition))
    expect(after.map(([, content]) => content)).toEqual(before.map(([, content]) => content))
    expect(before.map(([offset]) => map.get(`${topic}-${partition}/${offset}`))).toEqual(
      after.map(([offset]) => offset),
    )
    records += before.length
  }
  expect(map.size).toBe(records)
  return records
}

describe('a replay', () => {
  test('brings every committed record of random topics, and says where each is', async () => {
    const seed = seedFromEnvironment('a replay of random topics')
    for (let run = 0; run < 4; run++) {
      const random = new Random(seed + run)
      const { machine, source } = await openSource()
      await fillAtRandom(source, random)
      const history = await backUp(machine, source)
      await using target = await openTarget(machine)
      const transactionBytes = random.pick([1000, 5000, 2 ** 22])
      const report = await replay(machine, target, history, { transactionBytes })
      expect(report.records).toBe(await expectSame(source, target, machine.fs))
      expect(report.gaps).toEqual([])
      expect([...report.made].sort()).toEqual(['empty', 'mixed', 'plain'])
      const again = await replay(machine, target, history)
      expect(again).toMatchObject({ records: 0, transactions: 0, made: [] })
      await source.close()
    }
  })

  test('goes on with a newer backup of the same source', async () => {
    const random = new Random(seedFromEnvironment('a replay that goes on'))
    const { machine, source } = await openSource()
    await fillAtRandom(source, random)
    await using target = await openTarget(machine)
    const first = await replay(machine, target, await backUp(machine, source))
    await writeAtRandom(source, random, 5)
    const second = await replay(machine, target, await backUp(machine, source))
    expect(second.records).toBeGreaterThan(0)
    expect(first.records + second.records).toBe(await expectSame(source, target, machine.fs))
    await source.close()
  })

  test('that dies anywhere goes on without losing a record or bringing one twice', async () => {
    const seed = seedFromEnvironment('a replay that dies')
    const random = new Random(seed)
    const { machine, source } = await openSource()
    await fillAtRandom(source, random)
    const history = await backUp(machine, source)
    const start = machine.fs.operations
    {
      await using target = await openTarget(machine)
      await replay(machine, target, history, { transactionBytes: 3000 })
    }
    const end = machine.fs.operations
    for (let death = 0; death < 25; death++) {
      const at = random.between(start, end)
      const isPowerCut = random.bool()
      const fs = isPowerCut
        ? machine.fs.crashState(at, { mode: 'harsh', seed: random.next() })
        : machine.fs.killState(at)
      const after = { fs, clock: machine.clock }
      await using target = await openTarget(after)
      const report = await replay(after, target, history, { transactionBytes: 3000 })
      expect(report.gaps, `died at ${at}`).toEqual([])
      await expectSame(source, target, fs)
    }
    await source.close()
  })

  test('brings only what passes every filter', async () => {
    const random = new Random(seedFromEnvironment('a filtered replay'))
    const { machine, source } = await openSource()
    await fillAtRandom(source, random)
    const history = await backUp(machine, source)
    await using target = await openTarget(machine)
    const filter = {
      keys: [Buffer.from('k1'), Buffer.from('k2'), Buffer.from('k3')],
      headers: [{ key: 'a', value: null }],
      since: 100_000,
      until: 900_000,
      fromOffset: 3,
      toOffset: 400,
    }
    const rename = new Map([['mixed', 'mixed.copy']])
    const select = (topic: string): boolean => topic === 'mixed'
    await replay(machine, target, history, { filter, rename, select })
    expect(await target.listTopics()).toEqual(['mixed.copy'])
    let expected = 0
    for (const partition of [0, 1]) {
      const wanted: string[] = []
      const log = source.log('mixed', partition)
      const reader = log.reader({ from: 0, isolation: 'committed' })
      for await (const record of reader.records()) {
        const { key, headers, timestamp, offset } = record
        const isWanted =
          ['k1', 'k2', 'k3'].includes(String(key)) &&
          headers.some((header) => header.key === 'a') &&
          timestamp >= 100_000 &&
          timestamp < 900_000 &&
          offset >= 3 &&
          offset < 400
        if (isWanted) wanted.push(contentOf(record))
      }
      const found = await committedRecords(target.log('mixed.copy', partition))
      expect(found.map(([, content]) => content)).toEqual(wanted)
      expected += wanted.length
    }
    expect(expected).toBeGreaterThan(0)
    await source.close()
  })

  test('moves the offsets of groups to the same record, or the next one', async () => {
    const random = new Random(seedFromEnvironment('groups of a replay'))
    const { machine, source } = await openSource()
    await fillAtRandom(source, random)
    const end = source.log('mixed', 0).highWatermark
    const groups = await source.groups()
    for (let offset = 0; offset <= end; offset += 1) {
      await groups.resetOffsets(`g${offset}`, [{ topic: 'mixed', partition: 0, offset }])
    }
    await groups.resetOffsets('beyond', [{ topic: 'mixed', partition: 1, offset: 1_000_000 }])
    const history = await backUp(machine, source)
    const offsets = await groupOffsets(history, readGroupOffset)
    await using target = await openTarget(machine)
    const report = await replay(machine, target, history, { groups: offsets })
    expect(report.clamped).toMatchObject([{ group: 'beyond', offset: 1_000_000 }])
    const map = mapOf(machine.fs)
    const moved = await target.groups()
    const records = await committedRecords(target.log('mixed', 0))
    for (let offset = 0; offset <= end; offset += 1) {
      const next = [...map]
        .filter(([place]) => place.startsWith('mixed-0/') && Number(place.slice(8)) >= offset)
        .sort(([a], [b]) => Number(a.slice(8)) - Number(b.slice(8)))[0]
      const { offsets: found } = await moved.describe(`g${offset}`)
      expect(found[0]?.offset).toBe(next?.[1] ?? (records.at(-1)?.[0] ?? -1) + 1)
    }
    await source.close()
  })

  test('stops before a transaction that is open, and takes it when it is decided', async () => {
    const { machine, source } = await openSource()
    await source.createTopic('a')
    const plain = source.producer()
    await plain.send('a', { value: '1' })
    const producer = source.producer({ transactionalId: 't' })
    const transaction = await producer.begin()
    await transaction.send('a', { value: '2' })
    await plain.send('a', { value: '3' })
    const history = await backUp(machine, source)
    await using target = await openTarget(machine)
    const first = await replay(machine, target, history)
    expect(first).toMatchObject({ records: 1, gaps: [{ topic: 'a', from: 1, to: 3 }] })
    const leaving = { openTransactions: 'leave-out', map: '/maps/b', rename: new Map([['a', 'b']]) }
    expect(await replay(machine, target, history, leaving as ReplayOptions)).toMatchObject({
      records: 2,
      gaps: [],
    })
    await transaction.commit()
    expect(await replay(machine, target, await backUp(machine, source))).toMatchObject({
      records: 2,
      gaps: [],
    })
    const values: string[] = []
    const reader = target.log('a', 0).reader({ from: 0, isolation: 'committed' })
    for await (const { value } of reader.records()) values.push(String(value))
    expect(values).toEqual(['1', '2', '3'])
    await source.close()
  })

  test('refuses what would lose or double records', async () => {
    const { machine, source } = await openSource()
    const { fs } = machine
    await source.createTopic('a', { partitions: 2 })
    await source.createTopic('b')
    for (let count = 0; count < 3; count++) await source.producer().send('a', { value: 'v' })
    await source.producer().send('b', { value: 'v' })
    const history = await backUp(machine, source)
    await using target = await openTarget(machine)
    const refused = async (options: Partial<ReplayOptions>): Promise<string> =>
      (await errorOf(replay(machine, target, history, options), ReplayRefusedError)).message
    expect(await refused({ rename: new Map([['a', 'b']]) })).toContain('both go to b')
    await target.createTopic('stamped', { partitions: 2, messageTimestampType: 'LogAppendTime' })
    const select = (topic: string): boolean => topic === 'a'
    expect(await refused({ select, rename: new Map([['a', 'stamped']]) })).toContain('time')
    await target.createTopic('narrow')
    expect(await refused({ select, rename: new Map([['a', 'narrow']]) })).toContain('partitions')
    await replay(machine, target, history, { select, transactionBytes: 1 })
    const rename = new Map([['a', 'other']])
    expect(await refused({ select, rename })).toContain('another replay')
    expect(await refused({ select, map: '/maps/new' })).toContain('says nothing')
    fs.writeBytes('/maps/bad', Buffer.from('{}\n'))
    expect(await refused({ select, map: '/maps/bad' })).toContain('not a map')
    await source.deleteTopic('a')
    await source.createTopic('a', { partitions: 2 })
    const anew = replay(machine, target, await backUp(machine, source), { select })
    expect((await errorOf(anew, ReplayRefusedError)).message).toContain('another topic')
    await target.deleteTopic('a')
    expect(await refused({ select })).toContain('does not know any more')
    await source.close()
  })
})
