import { readFileSync, writeFileSync } from 'node:fs'
import { makeTemporaryDirectory, type TemporaryDirectory } from '@varve/log/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../captured-io.ts'
import { makeHistory, recordsIn } from '../history-fixture.ts'

let root: TemporaryDirectory
const at = (name: string): string => `${root.path}/${name}`

beforeEach(async () => {
  root = makeTemporaryDirectory()
  await makeHistory(root.path)
})

afterEach(() => {
  root[Symbol.dispose]()
})

describe('varve backup heal', () => {
  test('shows what is damaged, and heals it when it is told to', async () => {
    const heal = ['backup', 'heal', at('repository'), at('data')]
    expect((await run(...heal)).stdout.text).toBe('no segment is damaged\n')
    const before = await recordsIn(at('data'))
    const path = at('data/orders-0/00000000000000000000.log')
    const bytes = readFileSync(path)
    const rotten = Buffer.from(bytes)
    rotten[500] = (rotten[500] ?? 0) ^ 4
    writeFileSync(path, rotten)
    const shown = await run(...heal)
    expect(shown.code).toBe(1)
    expect(shown.stdout.text).toContain(`${path}  would be healed from`)
    expect(readFileSync(path)).toEqual(rotten)
    const healed = await run(...heal, '--execute')
    expect(healed.code).toBe(0)
    expect(healed.stdout.text).toContain('0 of 1 are damaged')
    expect(readFileSync(path)).toEqual(bytes)
    expect(await recordsIn(at('data'))).toEqual(before)
    expect((await run('verify', at('data'))).code).toBe(0)
  })
})
