import {
  BackupCatalogue,
  type BackupSource,
  DirectorySource,
  DirectoryTarget,
  inlineEncoder,
  type Manifest,
  Repository,
  runBackup,
} from '@varve/backup'
import { partitionDirectoryName, segmentFileName } from '@varve/log/files'
import { ManualClock, Random, SimulatedFileSystem } from '@varve/log/testing'
import { expect } from 'vitest'
import type { DirectoryVarve } from '../../src/directory-varve.ts'
import type { GroupDescription } from '../../src/groups/group-administration.ts'
import { GroupNotFoundError } from '../../src/groups/group-errors.ts'
import { dataPath, type Machine, openOn, turns, valuesOf } from '../broker-fixture.ts'

/** How a snapshot is taken: by the process that has the directory open, or beside it. */
export type SourceKind = 'live' | 'directory'

/** What was sent to the compacted topic, by offset: null is a deletion. */
export interface KeyedSend {
  readonly key: string
  readonly value: string | null
}

const small = { segmentBytes: 4096, fileDeleteDelayMs: 0 }

/** A data directory in which everything goes on at once, until it is stopped. */
class Traffic {
  readonly machine: Machine
  readonly varve: DirectoryVarve
  readonly keyed: KeyedSend[] = []
  transactions = 0
  compactions = 0
  readonly #random: Random
  readonly #loops: Promise<void>[] = []
  #isStopped = false

  private constructor(machine: Machine, varve: DirectoryVarve, random: Random) {
    this.machine = machine
    this.varve = varve
    this.#random = random
  }

  static async start(random: Random): Promise<Traffic> {
    const clock = new ManualClock()
    const fs = new SimulatedFileSystem({ clock, seed: random.next(), turnsMax: 2 })
    fs.makeDirectories(dataPath)
    const machine = { fs, clock }
    const varve = await openOn(machine, { cleaning: false })
    await varve.createTopic('in', { ...small, partitions: 2 })
    await varve.createTopic('out', { ...small, partitions: 2 })
    for (const topic of ['out-a', 'out-b']) {
      await varve.createTopic(topic, { ...small, partitions: 2 })
    }
    await varve.createTopic('keyed', {
      ...{ ...small, cleanupPolicy: 'compact', minCleanableDirtyRatio: 0, deleteRetentionMs: 1 },
    })
    const traffic = new Traffic(machine, varve, random)
    traffic.#run()
    return traffic
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#loops)
    await this.varve.close()
  }

  #run(): void {
    const { varve } = this
    const producer = varve.producer()
    this.#loop(async (round) => {
      await producer.send('in', { key: `k${round}`, value: `v${round} ${'x'.repeat(60)}` })
    })
    this.#loop(async (round) => {
      const key = `k${this.#random.int(20)}`
      const value = this.#random.bool(0.3) ? null : `v${round} ${'y'.repeat(60)}`
      this.keyed.push({ key, value })
      await producer.send('keyed', { key, value })
    })
    for (const name of ['a', 'b']) this.#transact(`never-pausing-${name}`, `out-${name}`)
    const transactional = varve.producer({ transactionalId: 'worker' })
    this.#loop(async (round) => {
      const transaction = await transactional.begin()
      const offset = varve.log('in', 0).highWatermark
      const value = `${round}:${offset}`
      await transaction.send('out', { value }, { partition: 0 })
      if (this.#random.bool()) await turns(this.#random.int(3))
      await transaction.send('out', { value }, { partition: 1 })
      await transaction.sendOffsets('billing', [{ topic: 'in', partition: 0, offset }])
      if (this.#random.bool(0.25)) await transaction.abort()
      else await transaction.commit()
      this.transactions++
      // Often there is none of the other producers that pauses.
      if (this.#random.bool(0.2)) await turns(this.#random.int(30))
    })
    this.#loop(async () => {
      const groups = await varve.groups()
      const [first, second] = [varve.log('in', 0), varve.log('in', 1)]
      const offsets = [first, second].map((log, partition) => ({
        ...{ topic: 'in', partition, offset: log.highWatermark, metadata: '' },
      }))
      await groups.resetOffsets('mailing', offsets)
    })
    this.#loop(async () => {
      await turns(20)
      this.machine.clock.advance(1000)
      const [before] = varve.log('keyed', 0).segments()
      await varve.cleaner.runOnce()
      const [after] = varve.log('keyed', 0).segments()
      if (before?.sizeBytes !== after?.sizeBytes) this.compactions++
      const log = varve.log('in', this.#random.int(2))
      if (this.#random.bool(0.3)) await log.deleteSegmentsBefore(log.highWatermark)
    })
  }

  /** One transaction after the other, over both partitions of a topic. */
  #transact(transactionalId: string, topic: string): void {
    const producer = this.varve.producer({ transactionalId })
    this.#loop(async (round) => {
      const transaction = await producer.begin()
      for (const partition of [0, 1]) {
        await transaction.send(topic, { value: `${round}` }, { partition })
      }
      await (this.#random.bool(0.25) ? transaction.abort() : transaction.commit())
    })
  }

  #loop(step: (round: number) => Promise<void>): void {
    const run = async (): Promise<void> => {
      for (let round = 0; !this.#isStopped; round++) {
        await step(round)
        await turns(1)
      }
    }
    this.#loops.push(run())
  }
}

/**
 * Takes so many snapshots of a directory in which everything goes on, restores each and checks that
 * what is in it fits together. Resolves to how many were taken.
 */
export async function checkSnapshots(
  kind: SourceKind,
  seed: number,
  count: number,
): Promise<number> {
  const random = new Random(seed)
  const traffic = await Traffic.start(random)
  const { fs, clock } = traffic.machine
  const target = new DirectoryTarget('/repository', { fs: new SimulatedFileSystem({ clock }) })
  const repository = await Repository.create(target, { objectBytes: 2048 })
  const source: BackupSource =
    kind === 'live'
      ? traffic.varve.backupSource()
      : new DirectorySource(dataPath, { fs, now: () => clock.now() })
  try {
    for (let taken = 0; taken < count; taken++) {
      await turns(random.between(5, 60))
      const options = { fs, clock, encoder: inlineEncoder(fs), threads: 2 } as const
      const report = await runBackup(repository, source, { ...options, kind: 'incremental' })
      expect({ gaps: report.gaps, warnings: report.warnings }).toEqual({ gaps: [], warnings: [] })
      await checkRestored(repository, report.backupId, traffic.keyed)
    }
  } catch (error) {
    const replay = `VARVE_SEED=${seed}, ${kind}: ${(error as Error).message}`
    throw new Error(replay, { cause: error })
  } finally {
    await traffic.stop()
  }
  // Else it was no test of anything.
  expect(traffic.transactions).toBeGreaterThan(count)
  expect(traffic.keyed.length).toBeGreaterThan(10 * count)
  expect(traffic.compactions).toBeGreaterThan(count / 2)
  return count
}

/** Puts a backup back with nothing but its lists, opens it, and looks at all of it. */
export async function checkRestored(
  repository: Repository,
  backupId: string,
  keyed: readonly KeyedSend[] | ((offset: number) => KeyedSend),
): Promise<void> {
  const catalogue = new BackupCatalogue(repository)
  const { manifest } = await catalogue.find(backupId)
  const fs = new SimulatedFileSystem()
  await putBack(repository, manifest, fs)
  await using varve = await openOn({ fs, clock: new ManualClock() }, { cleaning: false })
  // What was decided, and not in all partitions yet, is carried out.
  await turns(50)
  const ends = new Map(
    manifest.partitions.map(({ topic, partition, endOffset }) => [
      `${topic}-${partition}`,
      endOffset,
    ]),
  )
  const groups = await varve.groups()
  const committed = new Map<string, number>()
  for (const group of await groups.list()) {
    // One of which nothing is there but what an open transaction would commit goes with that.
    const described = await groups.describe(group).catch(noneOf)
    for (const { topic, partition, offset } of described.offsets) {
      committed.set(`${group} ${partition}`, offset)
      const end = ends.get(`${topic}-${partition}`) ?? -1
      expect(offset, `${group} in ${topic}-${partition}`).toBeLessThanOrEqual(end)
    }
  }
  const committedIn = (topic: string) =>
    Promise.all([0, 1].map((partition) => valuesOf(varve.log(topic, partition), 'committed')))
  for (const topic of ['out-a', 'out-b', 'out']) {
    const [first, second] = await committedIn(topic)
    expect(second, `a transaction is in both partitions of ${topic} or in none`).toEqual(first)
  }
  const last = (await committedIn('out'))[0]?.at(-1)?.split(':')[1]
  const billing = committed.get('billing 0')
  expect(billing ?? null, 'offsets of the last transaction').toBe(last ? Number(last) : null)
  const end = ends.get('keyed-0') ?? 0
  await checkKeyed(varve, typeof keyed === 'function' ? times(end, keyed) : keyed.slice(0, end))
}

function times<Item>(count: number, item: (index: number) => Item): readonly Item[] {
  return Array.from({ length: count }, (_, index) => item(index))
}

function noneOf(error: unknown): Pick<GroupDescription, 'offsets'> {
  if (error instanceof GroupNotFoundError) return { offsets: [] }
  throw error
}

/** The latest value of each key, as it was when the topic ended there, and no key too much. */
async function checkKeyed(varve: DirectoryVarve, sends: readonly KeyedSend[]): Promise<void> {
  const wanted = new Map<string, string>()
  for (const { key, value } of sends) {
    wanted.delete(key)
    if (value !== null) wanted.set(key, value)
  }
  const log = varve.log('keyed', 0)
  const found = new Map<string, string>()
  for await (const { key, value } of log.reader({ from: log.logStartOffset }).records()) {
    found.delete(String(key))
    if (value !== null) found.set(String(key), String(value))
  }
  expect(log.logEndOffset).toBe(sends.length)
  expect([...found].sort(), 'the latest values of all keys').toEqual([...wanted].sort())
}

async function putBack(
  repository: Repository,
  manifest: Manifest,
  fs: SimulatedFileSystem,
): Promise<void> {
  const catalogue = new BackupCatalogue(repository)
  fs.makeDirectories(dataPath)
  for (const { name, bytes } of manifest.files) fs.writeBytes(`${dataPath}/${name}`, bytes)
  for (const stored of manifest.partitions) {
    const list = await catalogue.partitionList(manifest, stored)
    const directory = `${dataPath}/${partitionDirectoryName(stored.topic, stored.partition)}`
    fs.makeDirectories(directory)
    for (const { name, bytes } of list.files) fs.writeBytes(`${directory}/${name}`, bytes)
    for (const { baseOffset, set, extents } of list.segments) {
      const parts: Buffer[] = []
      for (const { id } of extents) {
        parts.push(await repository.getObject('data', manifest.sets[set] ?? '', id))
      }
      fs.writeBytes(`${directory}/${segmentFileName(baseOffset, 'log')}`, Buffer.concat(parts))
    }
  }
}
