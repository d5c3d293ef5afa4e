import { mkdirSync, writeFileSync } from 'node:fs'
import { LogNotFoundError } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resolveTarget } from '../src/target.ts'

const temporary = makeTemporaryDirectory()
const data = `${temporary.path}/data`

beforeAll(() => {
  for (const name of ['b-2', 'b-10', 'a-0', 'gone-0.0123456789abcdef0123456789abcdef-delete']) {
    mkdirSync(`${data}/${name}`, { recursive: true })
  }
  writeFileSync(`${data}/a-0/00000000000000000000.log`, 'x')
  writeFileSync(`${data}/not-9`, 'a file that is named as a partition')
  mkdirSync(`${temporary.path}/renamed`)
  writeFileSync(`${temporary.path}/renamed/00000000000000000000.index`, '')
  mkdirSync(`${temporary.path}/nothing`)
})
afterAll(() => temporary.remove())

describe('what a path leads to', () => {
  test('a data directory has its live partitions, by topic and number', () => {
    const target = resolveTarget(`${data}/`)
    expect(target).toMatchObject({ kind: 'data', path: data })
    const names = target.kind === 'data' && target.partitions.map(({ name }) => name)
    expect(names).toEqual(['a-0', 'b-2', 'b-10'])
  })

  test('a partition is known by its files, and an empty one by its name', () => {
    expect(resolveTarget(`${temporary.path}/renamed`)).toMatchObject({ kind: 'partition' })
    expect(resolveTarget(`${data}/b-2`)).toMatchObject({ kind: 'partition', name: 'b-2' })
  })

  test('a file is a file', () => {
    const path = `${data}/a-0/00000000000000000000.log`
    const name = '00000000000000000000.log'
    expect(resolveTarget(path)).toEqual({ kind: 'file', path, name, sizeBytes: 1 })
  })

  test('anything else is refused', () => {
    expect(() => resolveTarget(`${temporary.path}/nothing`)).toThrow(LogNotFoundError)
    expect(() => resolveTarget(`${temporary.path}/absent`)).toThrow(LogNotFoundError)
  })
})
