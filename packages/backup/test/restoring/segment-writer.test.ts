import { reindexLog } from '@varve/log'
import { Random } from '@varve/log/testing'
import { readBatches } from '@varve/record'
import { beforeEach, describe, expect, test } from 'vitest'
import { CorruptRepositoryError } from '../../src/base/backup-errors.ts'
import type { StoredExtent, StoredSegment } from '../../src/format/partition-list.ts'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { ObjectReader } from '../../src/reading/object-reader.ts'
import { BackupCatalogue } from '../../src/repository/backup-catalogue.ts'
import { LocalCopies } from '../../src/restoring/local-copy.ts'
import {
  type PartitionRestoreContext,
  type RestoredPartition,
  restorePartition,
} from '../../src/restoring/partition-restore.ts'
import { restorePartitions } from '../../src/restoring/partitions-restore.ts'
import { ReadSlots } from '../../src/restoring/read-ahead.ts'
import { RestoreTarget } from '../../src/restoring/restore-target.ts'
import { writeSegment } from '../../src/restoring/segment-writer.ts'
import { prepareStaging } from '../../src/restoring/staging-files.ts'
import { inlineEncoder } from '../../src/taking/extent-encoder.ts'
import { restoredPath, Scene, sourcePath } from './scene.ts'
import { appendBatches } from './source-topics.ts'

const directory = '/place/t-0'
const first = '00000000000000000000.log'

let scene: Scene
let context: PartitionRestoreContext
let partition: RestoredPartition
let segment: StoredSegment
let original: Buffer

beforeEach(async () => {
  scene = await Scene.make()
  const { fs } = scene
  await using source = await scene.openSource()
  const log = await source.createLog('t', 0)
  await appendBatches(log, new Random(4), 60)
  await scene.backUp(source)
  const { manifest } = await scene.latest()
  const [stored] = manifest.partitions
  if (stored === undefined) throw new Error('it was backed up')
  const list = await new BackupCatalogue(scene.repository).partitionList(manifest, stored)
  const { topicId, endOffset: end } = stored
  partition = { stored, list, name: 't-0', topicId, end }
  segment = list.segments[0] ?? segment
  original = fs.bytesOf(`${sourcePath}/t-0/${first}`)
  fs.makeDirectories(directory)
  context = {
    ...{ fs, sets: manifest.sets, allowsDamage: false, signal: null, advanced: () => undefined },
    reader: new ObjectReader(scene.repository, inlineDecoder()),
    ...{ staging: '/place', replaced: '/nowhere' },
    logOptions: () => ({}),
    local: new LocalCopies(fs, scene.repository, inlineEncoder(fs)),
    ...{ slots: new ReadSlots(3), isStopped: () => false },
  }
})

async function write(end = segment.nextOffset): Promise<number | null> {
  const { reader, sets } = context
  const read = (extent: StoredExtent) => reader.borrow(sets[segment.set] ?? '', extent, true)
  const brought = await writeSegment({ ...context, read }, directory, segment, end, null)
  await brought.finish()
  return brought.next
}

const written = (): Buffer => scene.fs.bytesOf(`${directory}/${first}`)

describe('a segment that is written', () => {
  test('is the one that was backed up, with its time', async () => {
    expect(await write()).toBe(segment.nextOffset)
    expect(written()).toEqual(original)
    expect(scene.fs.stat(`${directory}/${first}`)?.modifiedMs).toBe(segment.modifiedMs)
  })

  test('is durable when it is told', async () => {
    await write()
    await scene.fs.syncDirectory(directory)
    const left = scene.fs.crashState(scene.fs.operations, 'none')
    expect(left.bytesOf(`${directory}/${first}`)).toEqual(original)
  })

  test('ends where it is cut, also where one object ends and the next begins', async () => {
    const offsets = [...readBatches(original)].map(({ baseOffset }) => baseOffset)
    const [, extent] = segment.extents
    expect(extent).toBeDefined()
    for (const end of [...offsets.slice(1), segment.nextOffset - 1]) {
      expect(await write(end), `cut at ${end}`).toBe(end)
      const batches = [...readBatches(written())]
      expect(batches.at(-1)?.nextOffset, `cut at ${end}`).toBe(end)
      await scene.fs.remove(`${directory}/${first}`)
    }
  })

  test('is not left half-written', async () => {
    const last = segment.extents.at(-1)
    segment = {
      ...segment,
      extents: [...segment.extents.slice(0, -1), { ...last, id: Buffer.alloc(32), sizeBytes: 5 }],
    }
    await expect(write()).rejects.toThrow('is not in the repository')
    expect(scene.fs.stat(`${directory}/${first}`)).toBeNull()
    expect(scene.fs.openFiles()).toEqual([])
  })

  test('has offsets of its own, in order', async () => {
    const { extents } = segment
    segment = { ...segment, extents: extents.toReversed() }
    await expect(write()).rejects.toThrow(CorruptRepositoryError)
    segment = { ...segment, extents, nextOffset: segment.nextOffset - 1 }
    await expect(write()).rejects.toThrow(/out of its place/)
  })

  test.each([1e300, -1, Number.NaN])('may have a strange time (%d)', async (modifiedMs) => {
    segment = { ...segment, modifiedMs }
    expect(await write()).toBe(segment.nextOffset)
  })
})

describe('a segment that is here already', () => {
  const elsewhere = '/place/other/t-0'

  beforeEach(() => {
    scene.fs.makeDirectories(elsewhere)
    scene.fs.writeBytes(`${elsewhere}/${first}`, original)
    context = { ...context, replaced: '/place/other' }
  })

  async function restoreFirst(end = segment.nextOffset): Promise<void> {
    const list = { ...partition.list, segments: [segment] }
    await restorePartition(context, { ...partition, list, end })
  }

  const isShared = (): boolean => {
    const [here, there] = [directory, elsewhere].map((path) => scene.fs.stat(`${path}/${first}`))
    return here?.fileId === there?.fileId
  }

  test('gets a second name', async () => {
    await restoreFirst()
    expect(isShared()).toBe(true)
    expect(written()).toEqual(original)
  })

  test('is fetched where it is another, or cannot be read or linked', async () => {
    scene.fs.flipBit(`${elsewhere}/${first}`, 8 * 90)
    await restoreFirst()
    expect(isShared()).toBe(false)
    expect(written()).toEqual(original)
  })

  test('is never written to where it will grow, or is cut', async () => {
    await restoreFirst()
    expect(isShared()).toBe(true)
    const end = segment.nextOffset - 1
    await restoreFirst(end)
    expect(isShared()).toBe(false)
    expect([...readBatches(written())].at(-1)?.nextOffset).toBe(end)
    expect(scene.fs.bytesOf(`${elsewhere}/${first}`)).toEqual(original)
  })
})

describe('a partition', () => {
  test('is brought in any number of lanes', async () => {
    await prepareStaging(scene.fs, '/place', [partition])
    await restorePartitions(context, [partition], { lanes: 5, slots: 3 })
    expect(scene.logFiles(directory)).toEqual(scene.logFiles(`${sourcePath}/t-0`))
  })

  test('has the indexes that reindexing makes, also where it is cut or partly here', async () => {
    const [middle] = partition.list.segments.slice(1)
    if (middle === undefined) throw new Error('there are several segments')
    for (const end of [partition.end, middle.nextOffset - 1, middle.nextOffset]) {
      const wanted = { ...partition, end }
      await prepareStaging(scene.fs, '/place', [wanted])
      await restorePartition(context, wanted)
      const before = scene.treeOf(directory)
      expect(before.size).toBeGreaterThan(8)
      await reindexLog(directory, { fs: scene.fs, isLocked: true })
      const after = new Map([...scene.treeOf(directory)].filter(([name]) => before.has(name)))
      expect(after, `to ${end}`).toEqual(before)
    }
  })

  test('of which one segment fails begins no others', async () => {
    await prepareStaging(scene.fs, '/place', [partition])
    const { target } = scene.repository
    for await (const { key } of target.list('objects/main/')) await target.remove(key)
    const brought = restorePartitions(context, [partition], { lanes: 1, slots: 1 })
    await expect(brought).rejects.toThrow('not in the')
    expect(scene.fs.openFiles()).toEqual([])
    expect(scene.logFiles(directory).size).toBe(0)
  })

  test('without records gets a segment to be written to', async () => {
    const empty = { ...partition, list: { ...partition.list, segments: [] }, end: 17 }
    await prepareStaging(scene.fs, '/place', [empty])
    await restorePartition(context, empty)
    expect([...scene.logFiles(directory).keys()]).toEqual(['00000000000000000017.log'])
  })
})

describe('the place of a restored directory', () => {
  const options = { isInPlace: false, isDryRun: false }

  test('is nobody else’s until it is released', async () => {
    const target = await RestoreTarget.claim(scene.fs, `${restoredPath}/`, options)
    expect([target.path, target.staging]).toEqual([restoredPath, `${restoredPath}.restoring`])
    await expect(RestoreTarget.claim(scene.fs, restoredPath, options)).rejects.toThrow(/lock/i)
    target.release()
    const again = await RestoreTarget.claim(scene.fs, restoredPath, options)
    again.release()
    expect(scene.fs.openFiles()).toEqual([])
  })

  test('of a dry run is not made', async () => {
    const target = await RestoreTarget.claim(scene.fs, '/new/place', { ...options, isDryRun: true })
    target.release()
    expect(scene.fs.stat('/new')).toBeNull()
  })
})
