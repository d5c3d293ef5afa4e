import { expect, test } from 'vitest'
import { openLogReadOnly } from '../../src/read/read-only-log.ts'
import type { FileStat, FileSystem } from '../../src/storage/file-system.ts'
import { appendValues, createLog, simulatedPlace } from '../log-fixture.ts'

test('a size that was looked at in the middle of a write is not where the data ends', async () => {
  const place = simulatedPlace()
  const { directory, log } = await createLog(place)
  let halfWritten = 0
  // The kernel raises the size of a file page by page while it is written.
  const stat = (path: string): FileStat | null => {
    const found = place.fs.stat(path)
    if (found === null || !path.endsWith('.log')) return found
    return { ...found, sizeBytes: found.sizeBytes + halfWritten }
  }
  const fs = new Proxy<FileSystem>(place.fs, {
    get: (target, name) => {
      if (name === 'stat') return stat
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const reader = await openLogReadOnly(`${place.path}/t-0`, { fs, pollMs: 1 })
  await using following = reader.reader({ from: 0, follow: true })
  const offsets: number[] = []
  for (const bytesOfNext of [0, 30, 0, 60, 0]) {
    halfWritten = bytesOfNext
    await appendValues(log, 1)
    const batches = await following.nextBatches()
    offsets.push(...(batches ?? []).map(({ baseOffset }) => baseOffset))
  }
  expect(offsets).toEqual([0, 1, 2, 3, 4])
  await reader.close()
  await directory.close()
})
