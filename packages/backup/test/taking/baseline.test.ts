import { randomBytes } from 'node:crypto'
import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import type { StoredExtent, StoredSegment } from '../../src/format/partition-list.ts'
import type { SegmentSnapshot } from '../../src/source/source-snapshot.ts'
import { grownFrom, isUnchanged } from '../../src/taking/baseline.ts'
import { KnownObjects } from '../../src/taking/known-objects.ts'
import { ProgressMeter } from '../../src/taking/progress-meter.ts'
import { MemoryTarget } from '../memory-target.ts'

const sealed: StoredSegment = {
  ...{ baseOffset: 0, nextOffset: 10, sizeBytes: 100, maxTimestamp: 5, isSealed: true },
  ...{ fileId: 7, modifiedMs: 11, set: 0, extents: [], damage: null },
}
const found: SegmentSnapshot = {
  ...{ baseOffset: 0, nextOffset: 10, sizeBytes: 100, isSealed: true, fileId: 7, modifiedMs: 11 },
  ...{ path: '/held/0.log', sourcePath: '/data/t-0/0.log' },
}

test('a sealed segment is the same when its file is, and it was good', () => {
  expect(isUnchanged(sealed, found)).toBe(true)
  for (const change of [
    { fileId: 8 },
    { sizeBytes: 99 },
    { modifiedMs: 12 },
    { isSealed: false },
  ]) {
    expect(isUnchanged(sealed, { ...found, ...change }), JSON.stringify(change)).toBe(false)
  }
  expect(isUnchanged({ ...sealed, isSealed: false }, found)).toBe(false)
  const damage = { position: 0, reason: 'rot' }
  expect(isUnchanged({ ...sealed, damage }, found)).toBe(false)
})

test('of a segment that grew what was stored is taken over, its last extent looked at', () => {
  const extents = (...sizes: number[]): StoredExtent[] =>
    sizes.map((sizeBytes) => ({ id: randomBytes(32), sizeBytes }))
  const tail = { ...sealed, isSealed: false, extents: extents(900, 50, 50), sizeBytes: 1000 }
  const grown = { ...found, sizeBytes: 1200 }
  expect(grownFrom(tail, grown, 1024)).toEqual({
    taken: { extents: tail.extents, maxTimestamp: 5, nextOffset: 10 },
    checked: tail.extents[2],
  })
  // Cut back since, another file, damaged, or with nothing to look at.
  expect(grownFrom(tail, { ...grown, sizeBytes: 999 }, 1024)).toBe(null)
  expect(grownFrom(tail, { ...grown, fileId: 8 }, 1024)).toBe(null)
  expect(grownFrom({ ...tail, damage: { position: 0, reason: '' } }, grown, 1024)).toBe(null)
  expect(grownFrom({ ...tail, extents: [] }, grown, 1024)).toBe(null)
  // Many small ones are read again, to be one large one.
  const many = { ...tail, extents: extents(900, ...Array.from({ length: 17 }, () => 10)) }
  expect(grownFrom(many, { ...grown, sizeBytes: 1300 }, 1024)?.taken).toEqual({
    ...{ extents: many.extents.slice(0, 1), maxTimestamp: 5, nextOffset: 0 },
  })
})

test('objects that are there are known, and those that are not needed are stored again', async () => {
  const target = new MemoryTarget(new ManualClock())
  const ids = Array.from({ length: 20 }, () => randomBytes(32).toString('hex'))
  for (const id of ids) await target.put(`objects/main/${id.slice(0, 2)}/${id}`, Buffer.from('x'))
  await target.put('objects/main/00/rubbish', Buffer.from('x'))
  const known = new KnownObjects(['objects/main/ab/unneeded'])
  await known.load(target, 'main')
  expect(ids.every((id) => known.has(id))).toBe(true)
  expect([...known.prefixes]).toEqual([...known.prefixes].sort((a, b) => (a < b ? -1 : 1)))
  expect(known.prefixes.length).toBe(20)
  expect(known.has('f'.repeat(64))).toBe(false)
  known.add('f'.repeat(64))
  expect(known.has('f'.repeat(64))).toBe(true)
  expect(known.modeFor('objects/main/ab/unneeded')).toBe('replace')
  expect(known.modeFor('objects/main/ab/other')).toBe('new')
})

test('progress says a rate and what is left, not counting what took no time', () => {
  const clock = new ManualClock()
  const told: unknown[] = []
  const meter = new ProgressMeter(1000, clock, (progress) => told.push(progress))
  meter.skip(500)
  clock.advance(1000)
  meter.advance(100)
  meter.advance(100)
  meter.finish()
  expect(told).toEqual([
    { doneBytes: 500, totalBytes: 1000, bytesPerSecond: 0, leftMs: null },
    { doneBytes: 600, totalBytes: 1000, bytesPerSecond: 100, leftMs: 4000 },
    { doneBytes: 700, totalBytes: 1000, bytesPerSecond: 200, leftMs: 1500 },
  ])
})
