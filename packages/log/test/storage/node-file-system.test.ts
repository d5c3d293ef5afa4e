import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { restorePlaceOf } from '../../src/format/restore-record.ts'
import { removeTree } from '../../src/storage/directories.ts'
import { readSmallFile } from '../../src/storage/file-system.ts'
import { nodeFileSystem } from '../../src/storage/node-file-system.ts'
import { makeTemporaryDirectory } from '../../src/testing/index.ts'
import { describeFileSystem } from '../file-system-conformance.ts'

describeFileSystem('nodeFileSystem', () => {
  const directory = makeTemporaryDirectory()
  return { fs: nodeFileSystem, directory: directory.path, remove: directory.remove }
})

describe('symbolic links', () => {
  test('are followed to what they name in the end, though nothing is there', () => {
    using temporary = makeTemporaryDirectory()
    const { path } = temporary
    mkdirSync(`${path}/sub`)
    symlinkSync('sub/second', `${path}/first`)
    symlinkSync('../nothing', `${path}/sub/second`)
    symlinkSync('loop', `${path}/loop`)
    writeFileSync(`${path}/file`, '')
    for (const name of ['sub', 'file', 'nothing', 'file/below', 'no/thing']) {
      expect(restorePlaceOf(nodeFileSystem, `${path}/${name}`)).toBe(`${path}/${name}`)
    }
    expect(restorePlaceOf(nodeFileSystem, `${path}/first/`)).toBe(`${path}/nothing`)
    expect(() => restorePlaceOf(nodeFileSystem, `${path}/loop`)).toThrow('ELOOP')
  })

  test('are removed with a tree, and what they name is not', async () => {
    using temporary = makeTemporaryDirectory()
    const { path } = temporary
    mkdirSync(`${path}/elsewhere/precious`, { recursive: true })
    mkdirSync(`${path}/tree/sub`, { recursive: true })
    symlinkSync('../../elsewhere', `${path}/tree/sub/link`)
    symlinkSync('nothing', `${path}/tree/dangling`)
    await removeTree(nodeFileSystem, `${path}/tree`)
    expect(readdirSync(path)).toEqual(['elsewhere'])
    expect(readdirSync(`${path}/elsewhere`)).toEqual(['precious'])
  })
})

test('a directory that should be a small file is named', () => {
  using temporary = makeTemporaryDirectory()
  const read = (): unknown => readSmallFile(nodeFileSystem, temporary.path, 100_000)
  expect(read).toThrow(`${temporary.path} is a directory`)
})

test.each([10, 4_000])('each of %d names in a directory is visited once', (count) => {
  using temporary = makeTemporaryDirectory()
  const names = Array.from({ length: count }, (_, index) => `${index}`.padStart(60, '0'))
  for (const name of names) writeFileSync(`${temporary.path}/${name}`, '')
  const visited: string[] = []
  nodeFileSystem.eachName?.(temporary.path, (name) => visited.push(name))
  expect(visited.sort()).toEqual(names)
  const missing = `${temporary.path}/missing`
  expect(() => nodeFileSystem.eachName?.(missing, () => {})).toThrow(/ENOENT.*missing/)
  const file = `${temporary.path}/${names[0]}`
  expect(() => nodeFileSystem.eachName?.(file, () => {})).toThrow('ENOTDIR')
})

test.runIf(process.platform === 'linux')('a wait is counted, also that of this thread', () => {
  const before = nodeFileSystem.waits?.() ?? Number.NaN
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
  expect(nodeFileSystem.waits?.()).toBeGreaterThan(before)
})
