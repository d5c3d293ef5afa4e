import { describe, expect, test } from 'vitest'
import { reindexLog } from '../../src/repair/reindex-log.ts'
import type { SimulatedFileSystem } from '../../src/testing/index.ts'
import { findings } from '../rot/oracle.ts'
import { directory, plain, smallShapes } from '../rot/shapes.ts'

const log = { indexIntervalBytes: 100 }
const first = `${directory}/00000000000000000000`
const shapes = await Promise.all(smallShapes.map((make) => make()))

function files(fs: SimulatedFileSystem): ReadonlyMap<string, Buffer> {
  const paths = [...fs.tree()].filter(([, { isDirectory }]) => !isDirectory).map(([path]) => path)
  return new Map(paths.map((path) => [path, fs.bytesOf(path)]))
}

describe('reindexing', () => {
  test.each(shapes.map((shape) => ({ name: shape.name, shape })))(
    'makes the derived files of a closed log as the log itself made them: $name',
    async ({ shape }) => {
      if (shape.name === 'killed') return
      const fs = shape.fs.fork()
      const before = files(fs)
      for (const [path] of before) {
        if (/\.(index|timeindex|txnindex|digest)$/.test(path)) await fs.remove(path)
      }
      await reindexLog(directory, { fs, log })
      expect(await findings(fs)).toEqual([])
      const after = files(fs)
      for (const [path, bytes] of before) {
        // An empty transaction index need not be a file.
        if (bytes.length === 0 && path.endsWith('.txnindex')) continue
        expect(after.get(path)?.toString('hex'), path).toBe(bytes.toString('hex'))
      }
    },
  )

  test('does one segment when it is given one', async () => {
    const { fs } = await plain('none')
    fs.flipBit(`${first}.index`, 1)
    fs.flipBit(`${directory}/00000000000000000008.index`, 1)
    const { writtenFiles } = await reindexLog(`${first}.index`, { fs, log })
    expect(writtenFiles).toEqual([`${first}.index`])
    expect((await findings(fs)).map(({ path }) => path)).toEqual([
      `${directory}/00000000000000000008.index`,
    ])
  })

  test('stops at damage, and refuses what is not a log', async () => {
    const { fs } = await plain('none')
    fs.flipBit(`${first}.log`, 100 * 8)
    const refused = reindexLog(directory, { fs, log })
    await expect(refused).rejects.toMatchObject({ code: 'VARVE_CORRUPT_LOG' })
    for (const path of ['/data/nothing', '/data/.lock', `${directory}/partition.metadata`]) {
      const missing = reindexLog(path, { fs, log })
      await expect(missing).rejects.toMatchObject({ code: 'VARVE_LOG_NOT_FOUND' })
    }
    expect(fs.openFiles()).toEqual([])
  })
})
