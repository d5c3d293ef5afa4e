import type { LogDirectory } from '@varve/log'
import { LogLockedError } from '@varve/log'
import { Random } from '@varve/log/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { inlineDecoder, type ObjectDecoder } from '../../src/reading/object-decoder.ts'
import { RestoreRefusedError } from '../../src/restoring/restore-errors.ts'
import { finishSwap, undoRestore } from '../../src/restoring/staged-swap.ts'
import { recordsOf, Scene, sourcePath } from './scene.ts'
import { appendCounted } from './source-topics.ts'

const aside = `${sourcePath}.before-restore`
const staging = `${sourcePath}.restoring`
const inPlace = { to: sourcePath, isInPlace: true }

let random: Random
let scene: Scene

/** Two topics, backed up; then more of both, and a third one. Closed. */
beforeEach(async () => {
  random = new Random(1)
  scene = await Scene.make()
  const source = await scene.openSource()
  const [orders, users] = [await source.createLog('orders', 0), await source.createLog('users', 0)]
  await appendCounted(orders, random, 23)
  await appendCounted(users, random, 12)
  await scene.backUp(source)
  await appendCounted(orders, random, 9)
  await appendCounted(users, random, 9)
  await appendCounted(await source.createLog('later', 0), random, 3)
  await source.close()
})

async function endsOf(path = sourcePath): Promise<Record<string, number>> {
  await using directory = await scene.open(path)
  const ends: Record<string, number> = {}
  for (const log of directory.logs.values()) ends[log.name] = log.logEndOffset
  return ends
}

async function changed(change: (directory: LogDirectory) => Promise<unknown>): Promise<void> {
  await using directory = await scene.openSource()
  await change(directory)
}

/** Counts the objects that are fetched. */
function countingDecoder(): ObjectDecoder & { count: number } {
  const decoder = inlineDecoder()
  const counting = {
    count: 0,
    decode: (task: Parameters<ObjectDecoder['decode']>[0]) => {
      counting.count++
      return decoder.decode(task)
    },
    close: () => decoder.close(),
  }
  return counting
}

describe('restoring in place', () => {
  test('puts the whole directory back to the backup, and keeps what was there aside', async () => {
    const before = scene.treeOf(sourcePath)
    const report = await scene.restore(inPlace)
    expect(report.replaced).toBe(aside)
    expect(scene.treeOf(aside)).toEqual(before)
    expect(scene.fs.stat(staging)).toBeNull()
    expect(await endsOf()).toEqual({ 'orders-0': 23, 'users-0': 12 })
    expect(await scene.findingsIn(sourcePath)).toEqual([])
  })

  test('fetches only what is not there', async () => {
    const everything = countingDecoder()
    await scene.restore({ decoder: everything })
    const decoder = countingDecoder()
    await scene.restore({ ...inPlace, decoder })
    // The last segment of each, which will be written to.
    expect(decoder.count).toBe(2)
    expect(everything.count).toBeGreaterThan(6)
  })

  test('does not believe a segment that has the right size', async () => {
    const name = `${sourcePath}/orders-0/00000000000000000005.log`
    scene.fs.flipBit(name, 8 * 100)
    await scene.restore(inPlace)
    expect(await scene.findingsIn(sourcePath)).toEqual([])
    expect(scene.logFiles(`${aside}/orders-0`)).not.toEqual(
      scene.logFiles(`${sourcePath}/orders-0`),
    )
  })

  test('of chosen topics lets the others stand, as they are', async () => {
    await using directory = await scene.openSource()
    const users = await recordsOf(directory.log('users', 0))
    await directory.close()
    await scene.restore({ ...inPlace, select: (topic) => topic === 'orders' })
    await using restored = await scene.openSource()
    expect([...restored.failures]).toEqual([])
    expect(await recordsOf(restored.log('users', 0))).toEqual(users)
    const ends = [...restored.logs.values()].map((log) => [log.name, log.logEndOffset])
    expect(Object.fromEntries(ends)).toEqual({ 'orders-0': 23, 'users-0': 21, 'later-0': 3 })
    expect(scene.fs.list(aside).filter((name) => name.endsWith('-0'))).toEqual(['orders-0'])
  })

  test('under another name puts a topic beside what is there, as another topic', async () => {
    const rename = new Map([['orders', 'orders-of-then']])
    const select = (topic: string): boolean => topic === 'orders'
    const report = await scene.restore({ ...inPlace, rename, select })
    expect(report.partitions.map(({ name }) => name)).toEqual(['orders-of-then-0'])
    expect(await endsOf()).toEqual({
      ...{ 'orders-of-then-0': 23, 'orders-0': 32 },
      ...{ 'users-0': 21, 'later-0': 3 },
    })
  })

  test('is undone: everything is as it was', async () => {
    const before = scene.treeOf(sourcePath)
    await scene.restore(inPlace)
    await undoRestore(scene.fs, sourcePath)
    const after = new Map(scene.treeOf(sourcePath))
    // What says that it was closed cleanly is not believed again.
    expect([...before.keys()].filter((name) => !after.has(name))).toEqual(['/.kafka_cleanshutdown'])
    for (const [name, bytes] of after) expect(before.get(name), name).toBe(bytes)
    expect([scene.fs.stat(aside), scene.fs.stat(staging)]).toEqual([null, null])
    await expect(undoRestore(scene.fs, sourcePath)).rejects.toThrow(RestoreRefusedError)
    expect(await endsOf()).toEqual({ 'orders-0': 32, 'users-0': 21, 'later-0': 3 })
  })

  test('is undone, and what others wrote meanwhile is kept', async () => {
    await scene.restore({ ...inPlace, select: (topic) => topic === 'orders' })
    await changed(async (directory) => {
      await appendCounted(directory.log('users', 0), random, 7)
      await appendCounted(directory.log('orders', 0), random, 1)
    })
    await undoRestore(scene.fs, sourcePath)
    expect(await endsOf()).toEqual({ 'orders-0': 32, 'users-0': 28, 'later-0': 3 })
    expect(await scene.findingsIn(sourcePath)).toEqual([])
  })

  test('can be done, undone and done again', async () => {
    for (let round = 0; round < 3; round++) {
      await scene.restore(inPlace)
      expect(await endsOf()).toEqual({ 'orders-0': 23, 'users-0': 12 })
      await undoRestore(scene.fs, sourcePath)
    }
    expect(await endsOf()).toEqual({ 'orders-0': 32, 'users-0': 21, 'later-0': 3 })
  })

  test('is refused while somebody has the directory open, and while undoing is', async () => {
    await using directory = await scene.openSource()
    await expect(scene.restore(inPlace)).rejects.toThrow(LogLockedError)
    await directory.close()
    await scene.restore(inPlace)
    await using again = await scene.openSource()
    await expect(undoRestore(scene.fs, sourcePath)).rejects.toThrow(LogLockedError)
    expect(again.logs.size).toBe(2)
  })

  test('is refused while what an earlier one replaced is still there', async () => {
    await scene.restore(inPlace)
    await expect(scene.restore(inPlace)).rejects.toThrow(RestoreRefusedError)
    expect(await endsOf()).toEqual({ 'orders-0': 23, 'users-0': 12 })
  })

  test('has nothing to finish afterwards', async () => {
    expect(await finishSwap(scene.fs, sourcePath)).toBe(false)
    await scene.restore({ ...inPlace, select: (topic) => topic === 'orders' })
    expect(await finishSwap(scene.fs, sourcePath)).toBe(false)
    await undoRestore(scene.fs, sourcePath)
    expect(await finishSwap(scene.fs, sourcePath)).toBe(false)
  })
})

describe('restoring in place, in the words of hooks', () => {
  test('opens the staged directory to them, with what is chosen and what stays', async () => {
    const seen: unknown[] = []
    const report = await scene.restore({
      ...inPlace,
      select: (topic) => topic === 'orders',
      hooks: {
        adjust: async ({ staging: path, replaced, kept, partitions }) => {
          await using staged = await scene.open(path)
          await appendCounted(staged.log('orders', 0), random, 1)
          seen.push(
            replaced,
            [...kept].sort(),
            partitions.map(({ name }) => name),
          )
          return ['one more record']
        },
      },
    })
    expect(seen).toEqual([sourcePath, ['later-0', 'users-0'], ['orders-0']])
    expect(report.notes).toEqual(['one more record'])
    expect(await endsOf()).toEqual({ 'orders-0': 24, 'users-0': 21, 'later-0': 3 })
  })

  test.each(['directoryFiles', 'adjust'] as const)(
    'changes nothing when %s refuses',
    async (name) => {
      const before = scene.treeOf(sourcePath)
      const refuse = (): never => {
        throw new RestoreRefusedError('no')
      }
      const hooks = name === 'adjust' ? { adjust: async () => refuse() } : { [name]: refuse }
      await expect(scene.restore({ ...inPlace, hooks })).rejects.toThrow(RestoreRefusedError)
      expect(scene.treeOf(sourcePath)).toEqual(before)
      expect(scene.fs.openFiles()).toEqual([])
      await scene.restore(inPlace)
      expect(await endsOf()).toEqual({ 'orders-0': 23, 'users-0': 12 })
    },
  )
})
