import { LogLockedError } from '@varve/log'
import { Random } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { RestoreRefusedError } from '../../src/restoring/restore-errors.ts'
import { finishSwap } from '../../src/restoring/staged-swap.ts'
import { restoredPath, Scene } from './scene.ts'
import { appendCounted } from './source-topics.ts'

let scene: Scene
const staging = `${restoredPath}.restoring`

beforeEach(async () => {
  const random = new Random(1)
  scene = await Scene.make()
  await using source = await scene.openSource()
  await appendCounted(await source.createLog('orders', 0), random, 23)
  await appendCounted(await source.createLog('users', 0), random, 12)
  await source.log('users', 0).deleteSegmentsBefore(3)
  await scene.backUp(source)
})

describe('a restore is refused, and makes nothing,', () => {
  const cases: ReadonlyArray<readonly [string, Parameters<Scene['restore']>[0]]> = [
    ['over files that are there', { to: '/source' }],
    ['into a file', { to: '/source/orders-0/00000000000000000000.log' }],
    ['over the root', { to: '/', isInPlace: true }],
    ['over the repository', { to: '/repository', isInPlace: true }],
    ['into the repository', { to: '/repository/restored' }],
    ['of nothing', { select: () => false }],
    ['of a topic that is not there', { rename: new Map([['order', 'o']]) }],
    ['to an offset of another partition', offsets('orders-2', 5)],
    ['to an offset beyond the end', offsets('orders-0', 24)],
    ['to an offset before the start', offsets('users-0', 2)],
    ['to no offset', offsets('orders-0', Number.NaN)],
  ]

  test.each(cases)('%s', async (_, options) => {
    const before = scene.treeOf('')
    await expect(scene.restore(options)).rejects.toThrow(RestoreRefusedError)
    expect(withoutStaging(scene.treeOf(''))).toEqual(before)
    expect(scene.fs.openFiles()).toEqual([])
  })

  test.each(['../evil', 'a/b', '..', '', 'x'.repeat(250)])('under the name %j', async (name) => {
    const before = scene.treeOf('')
    await expect(scene.restore({ rename: new Map([['orders', name]]) })).rejects.toThrow(
      InvalidArgumentError,
    )
    expect(withoutStaging(scene.treeOf(''))).toEqual(before)
  })

  test.each([
    ['EBUSY', { to: restoredPath }],
    ['EXDEV', { to: '/source', isInPlace: true }],
  ])('where a file system is mounted (%s, %j)', async (code, options) => {
    const { fs } = scene
    const place = options.to
    if (fs.stat(place) === null) fs.makeDirectory(place)
    const rename = fs.rename.bind(fs)
    vi.spyOn(fs, 'rename').mockImplementation((from, to) => {
      if (from === place || to === place) throw Object.assign(new Error(code), { code })
      rename(from, to)
    })
    await expect(scene.restore(options)).rejects.toThrow('where a file system is mounted')
    // Nothing waits to be finished.
    expect(await finishSwap(fs, place)).toBe(false)
  })

  test('where there is not the space for it', async () => {
    const used = scene.fs.capacityBytes
    expect(used).toBe(Number.POSITIVE_INFINITY)
    scene.fs.capacityBytes = 1
    await expect(scene.restore()).rejects.toThrow(/restoring takes \d+ bytes/)
  })

  test('in place, where there is the space for what has to be fetched, it is not', async () => {
    const total = (await scene.restore({ isDryRun: true })).totalBytes
    const { fs } = scene
    fs.capacityBytes = 2 ** 40
    const used = fs.capacityBytes - (await fs.freeBytes('/'))
    fs.capacityBytes = used + total / 2
    await expect(scene.restore()).rejects.toThrow(RestoreRefusedError)
    await scene.restore({ to: '/source', isInPlace: true, isDryRun: true })
  })

  test('while another one to the same place goes on', async () => {
    let release = (): void => {}
    const waiting = new Promise<void>((resolve) => {
      release = resolve
    })
    const decoder = inlineDecoder()
    const slow = { ...decoder, decode: (task: never) => waiting.then(() => decoder.decode(task)) }
    const first = scene.restore({ decoder: slow })
    await new Promise((resolve) => setTimeout(resolve, 10))
    await expect(scene.restore()).rejects.toThrow(LogLockedError)
    release()
    await first
    expect(await scene.findingsIn()).toEqual([])
  })
})

describe('a dry run', () => {
  test('says what would be restored, and changes nothing', async () => {
    const before = scene.fs.operations
    const report = await scene.restore({ isDryRun: true, ...offsets('orders-0', 11) })
    expect(scene.fs.operations).toBe(before)
    expect(report.partitions.map(({ name, endOffset }) => [name, endOffset])).toEqual([
      ['orders-0', 11],
      ['users-0', 12],
    ])
    expect(scene.fs.stat(staging)).toBeNull()
  })
})

describe('a directory that is empty', () => {
  test('is restored into', async () => {
    scene.fs.makeDirectories(restoredPath)
    const report = await scene.restore()
    expect(report.replaced).toBeNull()
    expect(await scene.findingsIn()).toEqual([])
    expect(scene.fs.stat(`${restoredPath}.before-restore`)).toBeNull()
  })
})

function offsets(name: string, offset: number): Parameters<Scene['restore']>[0] {
  return { point: { kind: 'offsets', offsets: new Map([[name, offset]]) } }
}

/** A staging directory with nothing in it but a lock stays for the next run. */
function withoutStaging(tree: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...tree].filter(([name]) => !name.startsWith(staging)))
}
