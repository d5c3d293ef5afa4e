import { Random } from '@varve/log/testing'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { CorruptRepositoryError, MissingObjectError } from '../../src/base/backup-errors.ts'
import { decoderPool } from '../../src/reading/decoder-pool.ts'
import { decode } from '../../src/reading/decoding-worker.ts'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { ObjectReader } from '../../src/reading/object-reader.ts'
import { type StoredLog, storedBatches } from '../../src/reading/stored-batches.ts'
import { BackupCatalogue } from '../../src/repository/backup-catalogue.ts'
import { objectKey } from '../../src/repository/repository.ts'
import { Scene } from '../restoring/scene.ts'
import { appendBatches } from '../restoring/source-topics.ts'

let scene: Scene
let log: StoredLog
let offsets: readonly number[]

beforeEach(async () => {
  scene = await Scene.make()
  await using source = await scene.openSource()
  const orders = await source.createLog('orders', 0)
  await appendBatches(orders, new Random(3), 40)
  await scene.backUp(source)
  const found: number[] = []
  for await (const batch of orders.reader({ from: 0 })) found.push(batch.baseOffset)
  offsets = found
  const { manifest } = await scene.latest()
  const [stored] = manifest.partitions
  if (stored === undefined) throw new Error('it was backed up')
  const list = await new BackupCatalogue(scene.repository).partitionList(manifest, stored)
  log = { sets: manifest.sets, list }
})

async function read(options: Parameters<typeof storedBatches>[2] = {}): Promise<number[]> {
  const reader = new ObjectReader(scene.repository, inlineDecoder())
  const found: number[] = []
  for await (const batch of storedBatches(reader, log, options)) found.push(batch.baseOffset)
  return found
}

describe('the batches of a partition in a backup', () => {
  test('come in order, from the batch with an offset on, and without segments left out', async () => {
    expect(await read()).toEqual(offsets)
    const middle = offsets[20] ?? 0
    expect(await read({ from: middle })).toEqual(offsets.slice(20))
    expect(await read({ from: middle + 1 })).toEqual(
      offsets.filter((_, index) => (offsets[index + 1] ?? Number.POSITIVE_INFINITY) > middle + 1),
    )
    const [first] = log.list.segments
    const later = offsets.filter((offset) => offset >= (first?.nextOffset ?? 0))
    expect(await read({ skips: (segment) => segment === first })).toEqual(later)
  })

  test('are not given where an object is lost or wrong', async () => {
    const extent = log.list.segments[1]?.extents[0]
    if (extent === undefined) throw new Error('there are several segments')
    const { target } = scene.repository
    const key = objectKey('main', extent.id)
    const bytes = (await target.get(key)) ?? Buffer.alloc(0)
    await target.remove(key)
    await expect(read()).rejects.toThrow(MissingObjectError)
    bytes[100] = (bytes[100] ?? 0) ^ 1
    await target.put(key, bytes)
    await expect(read()).rejects.toThrow(CorruptRepositoryError)
  })

  test('are not given where the source was damaged', async () => {
    const damage = { position: 10, reason: 'rot' }
    const segments = log.list.segments.map((segment) => ({ ...segment, damage }))
    log = { ...log, list: { ...log.list, segments } }
    await expect(read()).rejects.toThrow('rot')
  })

  test('lie in memory that is given back, once, wherever reading ends', async () => {
    const [, second] = log.list.segments[0]?.extents ?? []
    if (second === undefined) throw new Error('segments have several objects')
    for (const most of [1, 5, Number.POSITIVE_INFINITY]) {
      const reader = new ObjectReader(scene.repository, inlineDecoder())
      const borrow = reader.borrow.bind(reader)
      /** How often each was given back. */
      const uses: number[] = []
      reader.borrow = async (...wanted) => {
        const use = uses.push(0) - 1
        const lent = await borrow(...wanted)
        const release = (): void => {
          uses[use] = (uses[use] ?? 0) + 1
          lent.bytes.fill(0xff)
          lent.release()
        }
        return { ...lent, release }
      }
      let count = 0
      for await (const batch of storedBatches(reader, log)) {
        batch.validate()
        if (++count >= most) break
      }
      await vi.waitFor(() => expect(new Set(uses)).toEqual(new Set([1])))
      expect(uses.length).toBeGreaterThan(1)
    }
  })

  test('can be left after the first, though the next is not there', async () => {
    const [, second] = log.list.segments[0]?.extents ?? []
    if (second === undefined) throw new Error('segments have several objects')
    await scene.repository.target.remove(objectKey('main', second.id))
    const reader = new ObjectReader(scene.repository, inlineDecoder())
    for await (const batch of storedBatches(reader, log)) {
      expect(batch.baseOffset).toBe(0)
      break
    }
  })
})

describe('threads that decode', () => {
  const taskOf = async (isWanted: boolean) => {
    const extent = log.list.segments[0]?.extents[0]
    if (extent === undefined) throw new Error('there is one')
    const key = objectKey('main', extent.id)
    const file = await scene.repository.target.get(key)
    if (file === null) throw new Error('it is there')
    const { repositoryId } = scene.repository.file
    const { id, sizeBytes } = extent
    return {
      ...{ file, isOwn: true, room: Buffer.alloc(sizeBytes), key, id, sizeBytes },
      ...{ hasBatches: true, isWanted },
      ...{ idKey: null, epochKey: null, repositoryId },
    }
  }

  test('give what the caller itself would get', async () => {
    const expected = await inlineDecoder().decode(await taskOf(true))
    const pool = decoderPool(2)
    try {
      const decoded = await pool.decode(await taskOf(true))
      if (!decoded.isSound || !expected.isSound) throw new Error('it is sound')
      expect(Buffer.from(decoded.content ?? [])).toEqual(expected.content)
      const unwanted = await pool.decode(await taskOf(false))
      expect(unwanted).toMatchObject({ isSound: true, content: null })
      const wrong = { ...(await taskOf(true)), sizeBytes: 7 }
      expect(await pool.decode(wrong)).toMatchObject({ isSound: false })
    } finally {
      await pool.close()
    }
  })

  test('give back the memory that they were given, and take it from nobody else', async () => {
    const pool = decoderPool(1)
    try {
      const task = await taskOf(true)
      const { file, room } = task
      const sizes = [file, room].map(({ byteLength }) => byteLength)
      const decoded = await pool.decode(task)
      expect([file, room].map(({ byteLength }) => byteLength)).toEqual([0, 0])
      expect(decoded.memory.map(({ byteLength }) => byteLength)).toEqual(sizes)
      const others = { ...(await taskOf(true)), isOwn: false }
      expect(await pool.decode(others)).toMatchObject({ isSound: true })
      expect(others.file.length).toBeGreaterThan(0)
      const withoutRoom = await pool.decode({ ...(await taskOf(true)), room: null })
      if (!decoded.isSound || !withoutRoom.isSound) throw new Error('it is sound')
      expect(withoutRoom.content).toEqual(decoded.content)
    } finally {
      await pool.close()
    }
  })

  test('tell what is wrong with an object in words', async () => {
    const task = await taskOf(true)
    expect(decode({ ...task, file: task.file.subarray(1) })).toMatchObject({ isSound: false })
    expect(decode({ ...task, id: new Uint8Array(32) })).toMatchObject({
      reason: 'it is another object',
    })
  })
})
