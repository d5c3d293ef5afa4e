import { describe, expect, test } from 'vitest'
import { listSegments } from '../../src/format/segment-listing.ts'
import { scanBatches } from '../../src/format/segment-scan.ts'
import { type DerivedFile, LogIndexing } from '../../src/repair/log-indexing.ts'
import { reindexLog } from '../../src/repair/reindex-log.ts'
import type { SimulatedFileSystem } from '../../src/testing/index.ts'
import { directory, plain, smallShapes } from '../rot/shapes.ts'

const log = { indexIntervalBytes: 100 }
const derived = /\.(index|timeindex|txnindex|digest)$/
const shapes = await Promise.all(smallShapes.map((make) => make()))

async function indexed(fs: SimulatedFileSystem): Promise<readonly DerivedFile[]> {
  const indexing = new LogIndexing(directory, { fs, log })
  const segments = listSegments(fs, directory)
  const files: DerivedFile[] = []
  for (const [index, { baseOffset, path }] of segments.entries()) {
    indexing.begin(baseOffset)
    const file = fs.open(path, 'read')
    await scanBatches(file, (batch) => {
      indexing.add(batch)
      return true
    })
    file.close()
    files.push(...indexing.end(index === segments.length - 1))
  }
  return [...files, ...indexing.finish()]
}

/** As they are in the directory. */
function derivedIn(fs: SimulatedFileSystem, also: ReadonlySet<string>): Map<string, string> {
  const names = fs.list(directory).filter((name) => derived.test(name) || also.has(name))
  return new Map(names.sort().map((name) => [name, hexOf(fs.bytesOf(`${directory}/${name}`))]))
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('indexing while batches come', () => {
  test.each(shapes.map((shape) => ({ name: shape.name, shape })))(
    'makes what reindexing makes, and writes nothing: $name',
    async ({ shape }) => {
      for (const keepsSnapshots of [true, false]) {
        const fs = shape.fs.fork()
        // It says where the epochs begin, which is not known to whoever only sees batches.
        const startPath = '/data/log-start-offset-checkpoint'
        if (fs.stat(startPath) !== null) await fs.remove(startPath)
        for (const name of fs.list(directory)) {
          const isGone = derived.test(name) || name === 'leader-epoch-checkpoint'
          const isSnapshot = name.endsWith('.snapshot')
          if (isGone || (isSnapshot && !keepsSnapshots)) await fs.remove(`${directory}/${name}`)
        }
        const before = fs.operations
        const made = await indexed(fs)
        expect(fs.operations).toBe(before)
        await reindexLog(directory, { fs, log })
        const found = new Map(made.map(({ name, bytes }) => [name, hexOf(bytes)] as const))
        const names = new Set(found.keys())
        expect(new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))).toEqual(
          derivedIn(fs, names),
        )
      }
    },
  )

  test('refuses a batch that is out of place', async () => {
    const { fs } = await plain('none')
    const indexing = new LogIndexing(directory, { fs, log })
    const [, second] = listSegments(fs, directory)
    if (second === undefined) throw new Error('there are two segments')
    indexing.begin(second.baseOffset + 1)
    const file = fs.open(second.path, 'read')
    const added: unknown[] = []
    await scanBatches(file, (batch) => {
      try {
        indexing.add(batch)
      } catch (error) {
        added.push(error)
      }
      return false
    })
    file.close()
    expect(added).toMatchObject([{ code: 'VARVE_CORRUPT_LOG' }])
  })

  test('of a log without segments makes nothing', () => {
    expect(new LogIndexing('/nowhere/t-0', { log }).finish()).toEqual([])
  })
})
