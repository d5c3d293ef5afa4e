import { randomBytes } from 'node:crypto'
import { repairLog } from '@varve/log'
import { Random } from '@varve/log/testing'
import { VarveError } from '@varve/record'
import { beforeEach, describe, expect, test } from 'vitest'
import { CorruptRepositoryError } from '../../src/base/backup-errors.ts'
import type { Manifest, StoredPartition } from '../../src/format/manifest.ts'
import type { PartitionList } from '../../src/format/partition-list.ts'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { BackupCatalogue, type ReadManifest } from '../../src/repository/backup-catalogue.ts'
import { RestoreRefusedError } from '../../src/restoring/restore-errors.ts'
import { referencesOf } from '../../src/taking/references.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { recordsOf, restoredPath, Scene, sourcePath } from './scene.ts'
import { appendCounted } from './source-topics.ts'

let scene: Scene
let random: Random

beforeEach(async () => {
  random = new Random(1)
  scene = await Scene.make()
  await using source = await scene.openSource()
  await appendCounted(await source.createLog('orders', 0), random, 23)
  await appendCounted(await source.createLog('users', 0), random, 12)
})

describe('a backup of a damaged source', () => {
  const damaged = `${sourcePath}/orders-0/00000000000000000005.log`

  beforeEach(async () => {
    scene.fs.flipBit(damaged, 8 * 200)
    await using source = await scene.openSource()
    expect((await scene.backUp(source)).gaps).toHaveLength(1)
  })

  test('is not restored as if nothing were wrong', async () => {
    await expect(scene.restore()).rejects.toThrow(RestoreRefusedError)
    expect(scene.fs.stat(restoredPath)).toBeNull()
  })

  test('is restored without what is damaged', async () => {
    const report = await scene.restore({ select: (topic) => topic === 'users' })
    expect(report.gaps).toEqual([])
    await using restored = await scene.open(restoredPath)
    expect(await recordsOf(restored.log('users', 0))).toHaveLength(12)
  })

  test('is restored as it was found, to be repaired, where that is allowed', async () => {
    const report = await scene.restore({ allowsDamage: true })
    expect(report.gaps).toMatchObject([{ topic: 'orders', partition: 0, from: 5, to: 10 }])
    expect(scene.logFiles(`${restoredPath}/orders-0`)).toEqual(
      scene.logFiles(`${sourcePath}/orders-0`),
    )
    const findings = await scene.findingsIn()
    expect(findings.map(({ path }) => path)).toContain(damaged.replace(sourcePath, restoredPath))
    await repairLog(`${restoredPath}/orders-0`, { fs: scene.fs })
    await using restored = await scene.open(restoredPath)
    expect(restored.log('orders', 0).logEndOffset).toBe(23)
    const offsets = (await recordsOf(restored.log('orders', 0))).map(({ offset }) => offset)
    expect(offsets.length).toBeLessThan(23)
    expect(offsets).toContain(22)
  })

  test('is found by verifying, with the records that it concerns', async () => {
    const { findings, sound } = await verified()
    expect(findings).toMatchObject([
      { code: 'gap', records: { topic: 'orders', partition: 0, from: 5, to: 10 } },
    ])
    expect(sound).toEqual([])
  })
})

describe('a restore that was interrupted', () => {
  beforeEach(async () => {
    await using source = await scene.openSource()
    await scene.backUp(source)
  })

  test('does not fetch again what it brought', async () => {
    const everything = decoderThatFailsAfter(Number.POSITIVE_INFINITY)
    await scene.restore({ to: '/place/other', decoder: everything })
    const failing = decoderThatFailsAfter(4)
    await expect(scene.restore({ decoder: failing })).rejects.toThrow('enough')
    const rest = decoderThatFailsAfter(Number.POSITIVE_INFINITY)
    // Once more, and hardly begun: what the first one brought stays.
    await expect(scene.restore({ decoder: decoderThatFailsAfter(0) })).rejects.toThrow('enough')
    await scene.restore({ decoder: rest })
    expect(rest.count).toBeLessThanOrEqual(everything.count - 3)
    expect(scene.treeOf(restoredPath).size).toBe(scene.treeOf('/place/other').size)
    expect(await scene.findingsIn()).toEqual([])
  })

  test('by its caller tells the reason, and goes on later', async () => {
    const controller = new AbortController()
    const decoder = decoderThatFailsAfter(Number.POSITIVE_INFINITY)
    const stopping = {
      ...decoder,
      decode: (task: Parameters<typeof decoder.decode>[0]) => {
        controller.abort(new Error('the caller has no time'))
        return decoder.decode(task)
      },
    }
    const { signal } = controller
    await expect(scene.restore({ decoder: stopping, signal })).rejects.toThrow('no time')
    expect(scene.fs.stat(restoredPath)).toBeNull()
    expect(scene.fs.openFiles()).toEqual([])
    await scene.restore()
    expect(await scene.findingsIn()).toEqual([])
  })

  test('does not take over what has changed since', async () => {
    await expect(scene.restore({ decoder: decoderThatFailsAfter(6) })).rejects.toThrow('enough')
    const staged = `${restoredPath}.restoring/orders-0/00000000000000000000.log`
    scene.fs.flipBit(staged, 8 * 70)
    scene.fs.writeBytes(
      `${restoredPath}.restoring/orders-0/00000000000000000001.index`,
      Buffer.alloc(8),
    )
    scene.fs.writeBytes(`${restoredPath}.restoring/strange-0/0.log`, Buffer.alloc(8))
    await scene.restore()
    expect(await scene.findingsIn()).toEqual([])
    expect(scene.fs.stat(`${restoredPath}/strange-0`)).toBeNull()
  })
})

describe('what somebody else has put into a repository', () => {
  type Forgery = (
    manifest: Manifest,
    list: PartitionList,
    stored: StoredPartition,
  ) => readonly [Partial<Manifest>, Partial<PartitionList>, Partial<StoredPartition>]

  const file = (name: string) => ({ name, bytes: Buffer.from('evil') })
  const segmentsOf = ({ segments }: PartitionList, change: object, index = 1) => ({
    segments: segments.map((segment, at) => (at === index ? { ...segment, ...change } : segment)),
  })

  const forgeries: ReadonlyArray<readonly [string, Forgery]> = [
    ['a file above the data directory', () => [{ files: [file('../evil')] }, {}, {}]],
    ['a strange file of the data directory', () => [{ files: [file('varve-restored')] }, {}, {}]],
    ['a file above the partition', () => [{}, { files: [file('../../evil')] }, {}]],
    [
      'a segment among the small files',
      () => [{}, { files: [file('00000000000000000000.log')] }, {}],
    ],
    [
      'a file twice',
      () => [{}, { files: [file('partition.metadata'), file('partition.metadata')] }, {}],
    ],
    ['segments out of order', (_, { segments }) => [{}, { segments: segments.toReversed() }, {}]],
    ['segments that overlap', (_, list) => [{}, segmentsOf(list, { baseOffset: 1 }), {}]],
    ['segments with a hole', (_, list) => [{}, segmentsOf(list, { baseOffset: 7 }), {}]],
    ['a segment that goes too far', (_, list) => [{}, segmentsOf(list, { nextOffset: 30 }, 4), {}]],
    ['a segment of another size', (_, list) => [{}, segmentsOf(list, { sizeBytes: 1 }), {}]],
    ['a segment of a set that there is not', (_, list) => [{}, segmentsOf(list, { set: 9 }), {}]],
    ['objects of another segment', (_, list) => [{}, segmentsOf(list, extentsOf(list, 2), 1), {}]],
    ['an end before the start', () => [{}, {}, { logStartOffset: 24 }]],
    ['an end that no segment reaches', () => [{}, {}, { endOffset: 40 }]],
    ['a start that no segment has', (_, { segments }) => [{}, { segments: segments.slice(1) }, {}]],
    [
      'a partition twice',
      ({ partitions }) => [{ partitions: [...partitions, ...partitions] }, {}, {}],
    ],
  ]

  beforeEach(async () => {
    await using source = await scene.openSource()
    await scene.backUp(source)
  })

  test.each(forgeries)('is refused and named: %s', async (_, forge) => {
    const before = scene.treeOf('')
    const forged = await publish(forge)
    await expect(forged().then((backup) => scene.restoreBackup(backup))).rejects.toThrow(VarveError)
    const changed = [...scene.treeOf('')].filter(([name, bytes]) => before.get(name) !== bytes)
    const outside = changed.filter(
      ([name]) =>
        !name.startsWith('/repository/') && !name.startsWith(`${restoredPath}.restoring/`),
    )
    expect(outside).toEqual([])
    expect(scene.fs.stat(restoredPath)).toBeNull()
  })

  test('is found by verifying, where it can be told', async () => {
    const hole = forgeries.find(([name]) => name === 'segments with a hole')?.[1]
    if (hole === undefined) throw new Error('it is in the list')
    await publish(hole)
    const { findings } = await verified()
    expect(findings).toMatchObject([{ code: 'damaged', records: { topic: 'orders' } }])
  })

  /** Without encryption anybody can write what looks right. */
  async function publish(forge: Forgery): Promise<() => Promise<ReadManifest>> {
    const catalogue = new BackupCatalogue(scene.repository)
    const { manifest, name, fileHash } = await scene.latest()
    const [orders, ...others] = manifest.partitions
    if (orders === undefined) throw new Error('orders were backed up')
    const list = await catalogue.partitionList(manifest, orders)
    const [ofManifest, ofList, ofStored] = forge(manifest, list, orders)
    const forged = { ...list, ...ofList }
    const { id } = await catalogue.putPartitionList('main', forged)
    const lists = [forged]
    for (const other of others) lists.push(await catalogue.partitionList(manifest, other))
    const { segments } = forged
    const stored = {
      ...orders,
      list: id,
      sizeBytes: segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      segmentCount: segments.length,
      ...ofStored,
    }
    const backupId = `20260102T000000.000Z-${randomBytes(4).toString('hex')}`
    const whole: Manifest = {
      ...manifest,
      ...{ backupId, sequence: 2, previous: fileHash, partitions: [stored, ...others] },
      ...ofManifest,
    }
    const references = referencesOf({ ...whole, partitions: [stored, ...others] }, lists)
    await catalogue.publish({ ...name, sequence: 2, backupId }, whole, references)
    return () => scene.latest()
  }
})

function extentsOf({ segments }: PartitionList, index: number): object {
  const { extents = [], sizeBytes = 0 } = segments[index] ?? {}
  return { extents, sizeBytes }
}

function verified() {
  const { repository, clock } = scene
  return verifyRepository(repository, { decoder: inlineDecoder(), clock })
}

/** Counts, and fails like a store that is gone after so many objects. */
function decoderThatFailsAfter(objects: number) {
  const decoder = inlineDecoder()
  const counting = {
    count: 0,
    decode: async (task: Parameters<typeof decoder.decode>[0]) => {
      if (counting.count >= objects) throw new CorruptRepositoryError('it', 'that is enough')
      counting.count++
      return decoder.decode(task)
    },
    close: () => decoder.close(),
  }
  return counting
}
