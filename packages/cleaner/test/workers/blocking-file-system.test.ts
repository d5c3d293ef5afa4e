import { type FileSystem, systemClock } from '@varve/log'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { blockingFileSystem } from '../../src/workers/blocking-file-system.ts'
import { ProcessorBreaks } from '../../src/workers/processor-breaks.ts'

const breaksOf = (traffic: number): ProcessorBreaks =>
  new ProcessorBreaks(systemClock, Int32Array.of(traffic), 1)

test('holds what is written, and reads it', async () => {
  const real = new SimulatedFileSystem()
  const fs = blockingFileSystem(real, breaksOf(1))
  fs.makeDirectory('/d')
  const file = fs.open('/d/a', 'create')
  expect(await file.write(Buffer.from('hello'), 0)).toBe(5)
  await file.datasync()
  file.truncate(4)
  expect(file.sizeBytes()).toBe(4)
  const bytes = Buffer.alloc(10)
  expect(await file.read(bytes, 1)).toBe(3)
  expect(bytes.toString('latin1', 0, 3)).toBe('ell')
  file.close()
  fs.rename('/d/a', '/d/b')
  fs.link('/d/b', '/d/c')
  fs.setModifiedTime('/d/b', 5000)
  await fs.syncDirectory('/d')
  expect([...fs.list('/d')].sort()).toEqual(['b', 'c'])
  expect(real.stat('/d/b')).toMatchObject({ sizeBytes: 4, modifiedMs: 5000 })
  await fs.remove('/d/b')
  await fs.remove('/d/c')
  await fs.removeDirectory('/d')
  expect(fs.stat('/d')).toBeNull()
  expect(await fs.freeBytes('/')).toBeGreaterThan(0)
})

test('what was promised before a call that fails comes as a rejection', async () => {
  const fs = blockingFileSystem(new SimulatedFileSystem(), breaksOf(1))
  const file = fs.open('/a', 'create')
  file.close()
  await expect(file.read(Buffer.alloc(1), 0)).rejects.toThrow()
  const lock = await fs.lock('/lock')
  expect(await fs.lock('/lock')).toBeNull()
  lock?.release()
})

/** How often writing one MiB in pieces of 64 KiB flushes of itself. */
async function flushesOf(traffic: number): Promise<number> {
  const real = new SimulatedFileSystem()
  let flushes = 0
  const counting: FileSystem = {
    ...blockingFileSystem(real, breaksOf(0)),
    open: (path, mode) => {
      const file = real.open(path, mode)
      const datasync = file.datasync.bind(file)
      file.datasync = () => {
        flushes += 1
        return datasync()
      }
      return file
    },
  }
  const fs = blockingFileSystem(counting, breaksOf(traffic))
  const file = fs.open('/a', 'create')
  const piece = Buffer.alloc(64 * 1024, 1)
  for (let index = 0; index < 16; index++) await file.write(piece, index * piece.length)
  file.close()
  return flushes
}

test('beside others each 256 KiB are flushed by itself, and alone nothing is', async () => {
  expect(await flushesOf(1)).toBe(4)
  expect(await flushesOf(0)).toBe(0)
})
