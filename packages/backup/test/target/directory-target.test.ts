import { type Fault, makeTemporaryDirectory, SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { TargetError } from '../../src/base/backup-errors.ts'
import { DirectoryTarget } from '../../src/target/directory-target.ts'
import { describeTarget } from './target-conformance.ts'

describeTarget('a directory', async ({ onTestFinished }) => {
  const directory = makeTemporaryDirectory()
  onTestFinished(() => directory.remove())
  const path = `${directory.path}/repository`
  return { open: async () => new DirectoryTarget(path) }
})

describeTarget(
  'a simulated directory',
  async () => {
    const fs = new SimulatedFileSystem()
    return { open: async () => new DirectoryTarget('/repository', { fs }) }
  },
  { manyFiles: 200, largeBytes: 100_000 },
)

test('after a power cut at any moment a file is whole or not there, and there if it was said', async () => {
  const fs = new SimulatedFileSystem()
  fs.settle()
  const target = new DirectoryTarget('/mnt/repository', { fs })
  const said: { readonly key: string; readonly at: number }[] = []
  const bytes = Buffer.alloc(3000, 'b')
  const put = async (key: string): Promise<void> => {
    if (await target.put(key, bytes)) said.push({ key, at: fs.operations })
  }
  // Several at once, into directories that are made at the same time.
  await Promise.all(['a/x/1', 'a/x/2', 'a/y/1', 'a/y/2', 'b/1'].map(put))
  for (let operations = 0; operations <= fs.operations; operations++) {
    for (const variant of [
      'none',
      'all',
      'namesOnly',
      { mode: 'harsh', seed: operations },
    ] as const) {
      const after = new DirectoryTarget('/mnt/repository', {
        fs: fs.crashState(operations, variant),
      })
      for await (const { key } of after.list('')) {
        expect((await after.get(key))?.equals(bytes), `${key} after ${operations}`).toBe(true)
      }
      for (const { key, at } of said) {
        if (at <= operations) expect(await after.stat(key), `${key} ${at}`).not.toBe(null)
      }
    }
  }
})

test('what a killed process left visible is durable once somebody was told that it is there', async () => {
  const fs = new SimulatedFileSystem()
  fs.settle()
  await new DirectoryTarget('/mnt/repository', { fs }).put('a/b/file', Buffer.from('x'))
  for (let operations = 0; operations <= fs.operations; operations++) {
    const next = fs.killState(operations)
    const target = new DirectoryTarget('/mnt/repository', { fs: next })
    await target.put('a/b/file', Buffer.from('x'))
    const after = new DirectoryTarget('/mnt/repository', {
      fs: next.crashState(next.operations, 'none'),
    })
    expect(String(await after.get('a/b/file')), `killed after ${operations}`).toBe('x')
  }
})

test('any call that fails is told of in our words, and leaves nothing half done', async () => {
  const bytes = Buffer.from('content')
  const attempt = async (fault: Fault | null): Promise<SimulatedFileSystem> => {
    const fs = new SimulatedFileSystem()
    const target = new DirectoryTarget('/mnt/repository', { fs })
    if (fault !== null) fs.injectFault(fault)
    const outcome = await target.put('a/file', bytes).catch((error: unknown) => error)
    fs.clearFaults()
    if (outcome !== true) expect(outcome).toBeInstanceOf(TargetError)
    expect(fs.openFiles()).toEqual([])
    // Said to be there or made now: either way it survives.
    await target.put('a/file', bytes)
    const crashed = fs.crashState(fs.operations, 'none')
    const read = await new DirectoryTarget('/mnt/repository', { fs: crashed }).get('a/file')
    expect(read?.equals(bytes), JSON.stringify(fault)).toBe(true)
    return fs
  }
  const { calls } = await attempt(null)
  let hits = 0
  for (const kind of ['EIO', 'ENOSPC', 'short'] as const) {
    for (let after = 0; after < calls; after++) {
      hits += (await attempt({ kind, after, counting: 'calls' })).faultHits
    }
  }
  expect(hits).toBeGreaterThan(calls / 2)
})
