import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { mappedOffsets } from '../../src/replaying/mapped-offsets.ts'
import { OffsetMapFile, type OffsetRun } from '../../src/replaying/offset-map.ts'
import { ReplayRefusedError } from '../../src/replaying/replay-errors.ts'

const path = '/maps/map.jsonl'

async function fileSystemWithMap(): Promise<SimulatedFileSystem> {
  const fs = new SimulatedFileSystem()
  fs.makeDirectories('/maps')
  const map = await OffsetMapFile.open(fs, path, 'r', [])
  const add = (partition: number, next: number, runs: readonly OffsetRun[]) =>
    map.add([{ topic: 'a', partition, to: 'b', next, runs }])
  await add(0, 20, [{ source: 10, count: 5, target: 100 }])
  await add(1, 7, [])
  await add(0, 40, [{ source: 30, count: 2, target: 106 }])
  map.close()
  return fs
}

test('an offset becomes that of its record, else of the next one, else the end', async () => {
  const fs = await fileSystemWithMap()
  const ask = (partition: number, offset: number) => ({ topic: 'a', partition, offset })
  const offsets = [31, 0, 10, 14, 15, 29, 30, 32, 99].map((offset) => ask(0, offset))
  const found = await mappedOffsets(path, offsets, fs)
  expect(found).toEqual([107, 100, 100, 104, 106, 106, 106, 108, 108])
})

test('a partition of which nothing was replayed has no offset', async () => {
  const fs = await fileSystemWithMap()
  const offsets = [1, 2].map((partition) => ({ topic: 'a', partition, offset: 3 }))
  expect(await mappedOffsets(path, offsets, fs)).toEqual([null, null])
})

test('a file that is no map is refused', async () => {
  const fs = await fileSystemWithMap()
  for (const text of ['{}\n', 'orders,0,17\n', '{"format":1,"replay":"r"}\n[]\n']) {
    const file = fs.open('/maps/other', 'replace')
    await file.write(Buffer.from(text), 0)
    file.close()
    const asked = mappedOffsets('/maps/other', [], fs)
    await expect(asked).rejects.toBeInstanceOf(ReplayRefusedError)
  }
})
