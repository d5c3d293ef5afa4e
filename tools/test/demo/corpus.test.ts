import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { makeTemporaryDirectory, type TemporaryDirectory } from '@varve/log/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findCorpus } from '../../src/demo/corpus.ts'

let temporary: TemporaryDirectory

beforeAll(() => {
  temporary = makeTemporaryDirectory()
  mkdirSync(`${temporary.path}/b/c`, { recursive: true })
  writeFileSync(`${temporary.path}/z`, 'z'.repeat(10))
  writeFileSync(`${temporary.path}/b/c/d`, 'd'.repeat(500))
  writeFileSync(`${temporary.path}/b/a`, '')
  symlinkSync(`${temporary.path}/z`, `${temporary.path}/a-link`)
})
afterAll(() => temporary.remove())

const unlimited = { fileBytesMax: 1e9, files: 1e9, totalBytes: 1e9 }

describe('the corpus of the demo', () => {
  test('is every file in the order of names, without links', () => {
    const keys = findCorpus(temporary.path, unlimited).map(({ key }) => key)
    expect(keys).toEqual(['b/a', 'b/c/d', 'z'])
  })

  test('leaves out what is beyond a limit', () => {
    const keys = (limits: Partial<typeof unlimited>) =>
      findCorpus(temporary.path, { ...unlimited, ...limits }).map(({ key }) => key)
    expect(keys({ fileBytesMax: 100 })).toEqual(['b/a', 'z'])
    expect(keys({ totalBytes: 505 })).toEqual(['b/a', 'b/c/d'])
    expect(keys({ files: 2 })).toEqual(['b/a', 'b/c/d'])
  })
})
