import { Random } from '@varve/log/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { CorruptRepositoryError } from '../../src/base/backup-errors.ts'
import type { StoredExtent } from '../../src/format/partition-list.ts'
import { inlineDecoder, type ObjectDecoder } from '../../src/reading/object-decoder.ts'
import { ObjectMemory } from '../../src/reading/object-memory.ts'
import { ObjectReader } from '../../src/reading/object-reader.ts'
import { BackupCatalogue } from '../../src/repository/backup-catalogue.ts'
import { objectKey } from '../../src/repository/repository.ts'
import { Scene } from '../restoring/scene.ts'
import { appendBatches } from '../restoring/source-topics.ts'

describe('memory for objects', () => {
  test('is used again when it is given back, once', () => {
    const memory = new ObjectMemory(10_000)
    const first = memory.take(10)
    const second = memory.take(10_000)
    expect(first.buffer).not.toBe(second.buffer)
    memory.give(first)
    memory.give(first)
    const third = memory.take(300)
    expect(third.buffer).toBe(first.buffer)
    expect(third.length).toBe(300)
    expect(memory.take(300).buffer).not.toBe(first.buffer)
  })

  test('is fresh for what is too large, and nobody else’s is kept', () => {
    const memory = new ObjectMemory(10_000)
    const large = memory.take(20_000)
    expect(large.length).toBe(20_000)
    memory.give(large)
    memory.give(Buffer.from('elsewhere'))
    expect(memory.take(20_000).buffer).not.toBe(large.buffer)
    expect(memory.hasRoomFor(20_000)).toBe(false)
    expect(memory.take(9).toString()).not.toBe('elsewhere')
  })
})

describe.each(['plain', 'encrypted'])('objects of a repository that is %s', (kind) => {
  let scene: Scene
  let extents: readonly StoredExtent[]
  let rooms: Set<ArrayBufferLike>
  let decoder: ObjectDecoder

  beforeEach(async () => {
    const encryption = { passphrase: 'correct horse battery', scryptN: 1024, rsaBits: 2048 }
    scene = await Scene.make(kind === 'plain' ? {} : { encryption })
    await using source = await scene.openSource()
    await appendBatches(await source.createLog('orders', 0), new Random(3), 200)
    await scene.backUp(source)
    scene = await scene.after(scene.fs, kind === 'plain' ? null : encryption)
    const { manifest } = await scene.latest()
    const [stored] = manifest.partitions
    if (stored === undefined) throw new Error('it was backed up')
    const list = await new BackupCatalogue(scene.repository).partitionList(manifest, stored)
    extents = list.segments.flatMap((segment) => segment.extents)
    rooms = new Set()
    const inline = inlineDecoder()
    decoder = {
      ...inline,
      decode: (task) => {
        for (const bytes of [task.file, task.room]) if (bytes !== null) rooms.add(bytes.buffer)
        return inline.decode(task)
      },
    }
  })

  test('are lent in memory that is used again and again', async () => {
    const reader = new ObjectReader(scene.repository, decoder)
    const kept: Buffer[] = []
    for (const extent of extents) {
      const lent = await reader.borrow('main', extent, true)
      kept.push(Buffer.from(lent.bytes))
      lent.release()
      await reader.check('main', extent, true)
    }
    expect(extents.length).toBeGreaterThan(5)
    expect(rooms.size).toBeLessThanOrEqual(2)
    const own: Uint8Array[] = []
    for (const extent of extents) own.push(await reader.read('main', extent, true))
    expect(own.map((bytes) => Buffer.from(bytes))).toEqual(kept)
    expect(rooms.size).toBeLessThanOrEqual(2)
  })

  test('that are rotten or cut off are not lent', async () => {
    const reader = new ObjectReader(scene.repository, decoder)
    const [extent] = extents
    if (extent === undefined) throw new Error('there is one')
    const key = objectKey('main', extent.id)
    const bytes = (await scene.repository.target.get(key)) ?? Buffer.alloc(0)
    for (const wrong of [bytes.subarray(0, 60), bytes.subarray(0, -5), Buffer.alloc(0)]) {
      await scene.repository.target.put(key, wrong, { mode: 'replace' })
      await expect(reader.borrow('main', extent, true)).rejects.toThrow(CorruptRepositoryError)
    }
    await scene.repository.target.put(key, bytes, { mode: 'replace' })
    const lent = await reader.borrow('main', extent, true)
    expect(lent.bytes.length).toBe(extent.sizeBytes)
  })
})
