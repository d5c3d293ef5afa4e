import { IoThrottle } from '@varve/log/pacing'
import { readBatches } from '@varve/record'
import { expect, test } from 'vitest'
import { BackupCatalogue } from '../../src/repository/backup-catalogue.ts'
import { Repository } from '../../src/repository/repository.ts'
import type { SegmentSnapshot } from '../../src/source/source-snapshot.ts'
import { encode } from '../../src/taking/encoding-worker.ts'
import { encodeExtent, inlineEncoder } from '../../src/taking/extent-encoder.ts'
import { readExtent } from '../../src/taking/extent-reading.ts'
import type { ExtentTask } from '../../src/taking/extent-task.ts'
import { KnownObjects } from '../../src/taking/known-objects.ts'
import { PartitionsCopy } from '../../src/taking/partitions-copy.ts'
import { type CopyContext, copySegment, isExtentSame } from '../../src/taking/segment-copy.ts'
import { appendRecords, Machine } from '../backup-fixture.ts'
import { MemoryTarget } from '../memory-target.ts'

const nothing = { extents: [], maxTimestamp: -1, nextOffset: 0 }

/** A segment in a file of its own, and what copying it takes. */
async function scene() {
  const machine = new Machine()
  const directory = await machine.openData({ segmentBytes: 2 ** 20 })
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 200)
  const bytes = machine.fs.bytesOf(log.segments()[0]?.path ?? '')
  await directory.close()
  const { fs, clock } = machine
  fs.writeBytes('/segment.log', bytes)
  const target = new MemoryTarget(clock)
  const repository = await Repository.create(target, { objectBytes: 2048 })
  const context: CopyContext = {
    ...{ repository, encoder: inlineEncoder(fs), known: new KnownObjects(), set: 'main' },
    ...{ setIndex: 0, signal: null, advanced: () => {} },
    ...{ reading: new IoThrottle(0, clock), uploading: new IoThrottle(0, clock) },
  }
  const segment: SegmentSnapshot = {
    ...{ baseOffset: 0, nextOffset: 200, sizeBytes: bytes.length, isSealed: true },
    ...{ path: '/segment.log', sourcePath: '/segment.log' },
    ...{ fileId: fs.stat('/segment.log')?.fileId ?? 0, modifiedMs: 0 },
  }
  const task: ExtentTask = {
    ...{ path: '/segment.log', fileId: segment.fileId, position: 0, limit: bytes.length },
    ...{ endOffset: 200, isRaw: false, objectBytes: 2048, known: new BigUint64Array(0) },
    ...{ idKey: null, epoch: null, repositoryId: repository.file.repositoryId },
    progress: { isSealed: true, nextOffset: 0, spine: null, digestPath: null },
  }
  return { machine, bytes, target, repository, context, segment, task }
}

test('a segment is cut where batches end', async () => {
  const { bytes, repository, context, segment } = await scene()
  const { extents, damage, sizeBytes } = await copySegment(context, segment, nothing)
  expect(damage).toBe(null)
  expect(sizeBytes).toBe(bytes.length)
  expect(extents.length).toBeGreaterThan(5)
  for (const { id, sizeBytes } of extents) {
    const content = await repository.getObject('data', 'main', id)
    expect(content.length).toBe(sizeBytes)
    expect(content.length).toBeLessThanOrEqual(2048)
    const left = [...readBatches(content)].reduce((sum, batch) => sum + batch.sizeBytes, 0)
    expect(left).toBe(content.length)
  }
})

test('a batch that is larger than an object has one to itself', async () => {
  const { machine, task, segment, context } = await scene()
  const directory = await machine.openData({ segmentBytes: 2 ** 20, maxMessageBytes: 2 ** 19 })
  const log = await directory.createLog('large', 0)
  for (const size of [10, 100_000, 10, 50_000])
    await log.append({ value: Buffer.alloc(size, size) })
  const { path = '' } = log.segments()[0] ?? {}
  const sizeBytes = machine.fs.stat(path)?.sizeBytes ?? 0
  const fileId = machine.fs.stat(path)?.fileId ?? 0
  const large = { ...segment, path, sourcePath: path, sizeBytes, fileId, nextOffset: 4 }
  const { extents, damage } = await copySegment(context, large, nothing)
  expect(damage).toBe(null)
  expect(extents.map((extent) => extent.sizeBytes > 40_000)).toEqual([false, true, false, true])
  expect(encodeExtent(machine.fs, { ...task, path, fileId, limit: sizeBytes }).isEnd).toBe(false)
  await directory.close()
})

test('whether a segment still has what was stored of it is told by its bytes', async () => {
  const { machine, bytes, context, segment } = await scene()
  const stored = await copySegment(context, segment, nothing)
  const last = stored.extents.at(-1)
  if (last === undefined) throw new Error('there is one')
  const grown = { ...segment, sizeBytes: bytes.length + 10 }
  expect(await isExtentSame(context, grown, stored, last)).toBe(true)
  machine.fs.flipBit('/segment.log', 8 * (bytes.length - 3))
  expect(await isExtentSame(context, grown, stored, last)).toBe(false)
})

test('batches that are not in their place are damage', async () => {
  const { machine, bytes, task } = await scene()
  const { fs } = machine
  const damageOf = (changed: Buffer): string | undefined => {
    fs.writeBytes('/changed', changed)
    const file = fs.open('/changed', 'read')
    const limit = changed.length
    const given = { ...task, path: '/changed', fileId: -1, limit, objectBytes: limit }
    const { damage } = readExtent(fs, file, given)
    file.close()
    return damage?.reason
  }
  expect(damageOf(bytes)).toBe(undefined)
  const [first] = [...readBatches(bytes)]
  const size = first?.sizeBytes ?? 0
  expect(damageOf(Buffer.concat([bytes.subarray(0, size), bytes]))).toContain('follows')
  const far = Buffer.from(bytes)
  far.writeBigInt64BE(5000n, 0)
  expect(damageOf(far)).toContain('beyond its segment')
  expect(damageOf(bytes.subarray(0, -1))).toContain('cut off')
  expect(damageOf(Buffer.concat([bytes, Buffer.alloc(30)]))).toContain('size field')
})

test('what fails while segments are copied fails the copy, and no lane goes on for long', async () => {
  const { repository, context, segment } = await scene()
  const takenMs = 0
  const partition = {
    ...{ topic: 't', partition: 0, topicId: null, logStartOffset: 0, endOffset: 200, files: [] },
    segments: Array.from({ length: 50 }, () => ({ ...segment })),
  }
  let encoded = 0
  const encoder = {
    encode: async (task: ExtentTask) => {
      if (++encoded === 3) throw new TypeError('a mistake')
      return context.encoder.encode(task)
    },
    close: async () => {},
  }
  const copy = new PartitionsCopy({
    ...{ ...context, encoder, catalogue: new BackupCatalogue(repository), base: null, good: null },
    ...{ sets: ['main'], lanes: 3, takenOver: () => {} },
  })
  const release = async (): Promise<void> => {}
  const snapshot = { takenMs, partitions: [partition], missing: [], files: [], release }
  const running = copy.run({ ...snapshot, [Symbol.asyncDispose]: release })
  await expect(running).rejects.toThrow('a mistake')
  expect(encoded).toBeLessThan(40)
})

test('a thread hands over what it made, and tells the codes of errors', async () => {
  const { task } = await scene()
  expect(encode({ ...task, path: '/nowhere/at/all' })).toMatchObject({
    isDone: false,
    code: 'ENOENT',
  })
})
