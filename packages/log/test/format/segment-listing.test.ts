import { describe, expect, test } from 'vitest'
import { LogListing, listSegmentFiles, listSegments } from '../../src/format/segment-listing.ts'
import type { SegmentFileKind } from '../../src/storage/file-names.ts'
import { SimulatedFileSystem } from '../../src/testing/index.ts'
import { fileOf } from '../log-fixture.ts'

const directory = '/data/t-0'

function directoryWith(names: readonly string[]): SimulatedFileSystem {
  const fs = new SimulatedFileSystem()
  for (const name of names) fs.writeBytes(`${directory}/${name}`, Buffer.from(name))
  return fs
}

/** In no order. */
const names = [
  fileOf(30),
  fileOf(2 ** 40),
  fileOf(30, 'digest'),
  fileOf(0),
  fileOf(0, 'index'),
  fileOf(0, 'timeindex'),
  fileOf(0, 'txnindex'),
  fileOf(20, 'timeindex'),
  fileOf(20, 'digest'),
  fileOf(45, 'snapshot'),
  fileOf(30, 'snapshot'),
  `${fileOf(10)}.deleted`,
  'progress',
]

describe('a listing of a log directory', () => {
  test('has the segments in order, each with its path, its size and its other files', () => {
    const fs = directoryWith(names)
    const kinds = (...own: SegmentFileKind[]) => new Set(own)
    const found = listSegments(fs, directory).map((segment) => {
      const { baseOffset, path, sizeBytes } = segment
      return { baseOffset, path, sizeBytes, kinds: segment.kinds }
    })
    const at = (baseOffset: number) => {
      return { baseOffset, path: `${directory}/${fileOf(baseOffset)}`, sizeBytes: 24 }
    }
    expect(found).toEqual([
      { ...at(0), kinds: kinds('log', 'index', 'timeindex', 'txnindex') },
      { ...at(30), kinds: kinds('log', 'digest') },
      { ...at(2 ** 40), kinds: kinds('log') },
    ])
  })

  test('tells what is not a segment of its own', () => {
    const listing = LogListing.read(directoryWith(names), directory)
    expect(listing.snapshotOffsets).toEqual([30, 45])
    expect(listing.orphans()).toEqual([fileOf(20, 'digest'), fileOf(20, 'timeindex')])
    expect(listing.hasOther('progress')).toBe(true)
    expect(listing.hasOther(fileOf(0))).toBe(false)
    expect(listing.hasSuffixes).toBe(true)
    const whole = names.filter((name) => !name.endsWith('.deleted'))
    expect(LogListing.read(directoryWith(whole), directory).hasSuffixes).toBe(false)
  })

  test('leaves out a segment that went after the names were looked at', async () => {
    const fs = directoryWith(names)
    const listing = LogListing.read(fs, directory)
    await fs.remove(`${directory}/${fileOf(30)}`)
    expect(listing.segments(fs).map(({ baseOffset }) => baseOffset)).toEqual([0, 2 ** 40])
  })

  test('of all files has them by base offset and name, in every state', () => {
    const files = listSegmentFiles(directoryWith(names), directory)
    expect(files.map(({ name }) => name)).toEqual(names.slice(0, -1).sort())
    expect(files[4]).toEqual({
      ...{ name: `${fileOf(10)}.deleted`, baseOffset: 10, kind: 'log', suffix: '.deleted' },
    })
  })
})
