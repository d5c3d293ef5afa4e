import { crc32c } from '@varve/record'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  encodeSlot,
  type Progress,
  ProgressFile,
  progressFileBytes,
} from '../../src/format/progress-file.ts'
import type { File } from '../../src/storage/file-system.ts'
import { crashVariants } from '../../src/testing/crash-variant.ts'
import { Random, seedFromEnvironment } from '../../src/testing/random.ts'
import { SimulatedFileSystem } from '../../src/testing/simulated-file-system.ts'

const seed = seedFromEnvironment('progress file')
const path = '/progress'

const progresses: fc.Arbitrary<Progress> = fc
  .record({
    logStartOffset: fc.maxSafeNat(),
    highWatermark: fc.maxSafeNat(),
    recoveryPoint: fc.maxSafeNat(),
    recoverySegment: fc.maxSafeNat(),
    recoveryPosition: fc.maxSafeNat(),
  })
  .map((it) => ({ ...it, recoverySegment: Math.min(it.recoverySegment, it.recoveryPoint) }))

/** Distinct for every number, and growing with it. */
function progressOf(number: number): Progress {
  return {
    logStartOffset: number,
    highWatermark: number * 10,
    recoveryPoint: number * 9,
    recoverySegment: number * 8,
    recoveryPosition: number * 100,
  }
}

let fs: SimulatedFileSystem
let file: File

beforeEach(() => {
  fs = new SimulatedFileSystem()
  file = fs.open(path, 'create')
})

test('what was written last is read', () => {
  fc.assert(
    fc.property(fc.array(progresses, { minLength: 1, maxLength: 5 }), (list) => {
      const writer = new ProgressFile()
      for (const progress of list) {
        writer.write(file, progress)
        expect(ProgressFile.read(fs.bytesOf(path))).toMatchObject(progress)
      }
      expect(fs.bytesOf(path).length).toBeLessThanOrEqual(progressFileBytes)
    }),
    { seed },
  )
})

test('a process goes on from the slot that an earlier one has left', () => {
  for (let number = 1; number <= 7; number += 1) {
    new ProgressFile().write(file, progressOf(number))
    const expected = { ...progressOf(number), sequence: number - 1 }
    expect(ProgressFile.read(fs.bytesOf(path))).toEqual(expected)
  }
})

test('writes change one slot at a time, and the other is the progress before', () => {
  const writer = new ProgressFile()
  writer.write(file, progressOf(1))
  for (let number = 2; number < 8; number += 1) {
    const before = fs.bytesOf(path)
    writer.write(file, progressOf(number))
    const after = fs.bytesOf(path)
    const newest = number % 2 === 0 ? 512 : 0
    after.fill(0, newest, newest + 64)
    expect(ProgressFile.read(after)).toMatchObject(progressOf(number - 1))
    expect(ProgressFile.read(before)).toMatchObject(progressOf(number - 1))
  }
})

test('a failed write leaves what was there and can be repeated', () => {
  const writer = new ProgressFile()
  writer.write(file, progressOf(1))
  fs.injectFault({ kind: 'EIO' })
  expect(() => writer.write(file, progressOf(2))).toThrow(/EIO/)
  expect(ProgressFile.read(fs.bytesOf(path))).toMatchObject(progressOf(1))
  fs.injectFault({ kind: 'short' })
  writer.write(file, progressOf(2))
  expect(ProgressFile.read(fs.bytesOf(path))).toMatchObject(progressOf(2))
})

test('a power cut leaves a progress that was true, never a mixture', async () => {
  await file.datasync()
  await fs.syncDirectory('/')
  const writer = new ProgressFile()
  for (let number = 1; number <= 6; number += 1) writer.write(file, progressOf(number))
  let survivals = 0
  for (let moment = 0; moment <= fs.operations; moment += 1) {
    for (const variant of crashVariants(new Random(seed), 40)) {
      const disk = fs.crashState(moment, variant)
      if (disk.stat(path) === null) continue
      const found = ProgressFile.read(disk.bytesOf(path))
      if (found === null) continue
      expect(found).toMatchObject(progressOf(found.sequence + 1))
      survivals += 1
    }
  }
  expect(survivals).toBeGreaterThan(fs.operations)
})

describe('bytes that are no progress', () => {
  test('are none', () => {
    expect(ProgressFile.read(Buffer.alloc(0))).toBeNull()
    expect(ProgressFile.read(Buffer.alloc(progressFileBytes))).toBeNull()
    expect(ProgressFile.read(Buffer.alloc(progressFileBytes, 0xff))).toBeNull()
  })

  test('with any bit of the newest slot flipped leave the one before', () => {
    const writer = new ProgressFile()
    writer.write(file, progressOf(1))
    writer.write(file, progressOf(2))
    const bytes = fs.bytesOf(path)
    for (let bit = 512 * 8; bit < progressFileBytes * 8; bit += 1) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(ProgressFile.read(flipped), `bit ${bit}`).toMatchObject(progressOf(1))
    }
  })

  test('cut anywhere leave the slot that is whole, or nothing', () => {
    const writer = new ProgressFile()
    writer.write(file, progressOf(1))
    writer.write(file, progressOf(2))
    const bytes = fs.bytesOf(path)
    for (let size = 0; size <= bytes.length; size += 1) {
      const found = ProgressFile.read(bytes.subarray(0, size))
      expect(found?.sequence ?? null).toBe(size < 64 ? null : size < progressFileBytes ? 0 : 1)
    }
  })

  test('of another version, or not to be believed, count as none', () => {
    const read = (progress: Progress, sequence: number, version = 1): unknown => {
      const slot = Buffer.alloc(64)
      encodeSlot(progress, sequence, slot)
      slot.writeInt32BE(version, 4)
      slot.writeUInt32BE(crc32c(slot.subarray(0, 60)), 60)
      return ProgressFile.read(slot)
    }
    const progress = progressOf(5)
    expect(read(progress, 4)).toEqual({ ...progress, sequence: 4 })
    expect(read(progress, 4, 2)).toBeNull()
    expect(read(progress, -2)).toBeNull()
    // An odd number in the slot of the even ones.
    expect(read(progress, 5)).toBeNull()
    expect(read({ ...progress, highWatermark: -1 }, 4)).toBeNull()
    expect(read({ ...progress, recoverySegment: progress.recoveryPoint }, 4)).not.toBeNull()
    expect(read({ ...progress, recoverySegment: progress.recoveryPoint + 1 }, 4)).toBeNull()
  })

  test('at random never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => {
        expect(ProgressFile.read(Buffer.from(bytes))).toBeNull()
      }),
      { seed },
    )
  })
})
