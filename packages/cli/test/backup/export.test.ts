import { writeFileSync } from 'node:fs'
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

describe('varve backup export and import', () => {
  test('make a database, and a data directory of it', async () => {
    const exported = await run('backup', 'export', at('repository'), at('a.db'), '--json')
    expect(exported.stdout.documents[0]).toMatchObject({ records: 60, groupOffsets: 1 })
    const imported = await run('backup', 'import', at('a.db'), at('imported'))
    expect(imported.err).toBe('')
    expect(imported.stdout.text).toContain('1 topic, 2 partitions imported')
    expect(await recordsIn(at('imported'))).toEqual(await recordsIn(at('data')))
    expect((await run('verify', at('imported'))).code).toBe(0)
    expect((await run('backup', 'import', at('a.db'), at('imported'))).code).not.toBe(0)
    writeFileSync(at('no.db'), 'nothing of the kind')
    expect((await run('backup', 'import', at('no.db'), at('b'))).code).toBe(3)
  })
})
