import { createHash } from 'node:crypto'
import { LogDirectory, openLogReadOnly, type ReadOnlyLog } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Ledger } from '../../src/demo/ledger.ts'
import { prove } from '../../src/demo/prove.ts'

// A proof is worth something if it fails when it should.

const temporary = makeTemporaryDirectory()
const corpus = ['a', 'b', 'c'].map((key) => ({ key, path: key, sizeBytes: 5 }))
let log: ReadOnlyLog

beforeAll(async () => {
  await using directory = await LogDirectory.open(temporary.path)
  const files = await directory.createLog('files', 0)
  for (const { key } of corpus) await files.append({ key, value: `is ${key}` })
  log = await openLogReadOnly(`${temporary.path}/files-0`)
})
afterAll(async () => {
  await log.close()
  temporary.remove()
})

function acknowledged(offset: number, key: string, value = `is ${key}`) {
  const sha256 = createHash('sha256').update(value).digest('hex')
  return { offset, key, sizeBytes: value.length, sha256, latencyMs: 1 }
}

function ledgerOf(...records: readonly ReturnType<typeof acknowledged>[]): Ledger {
  const ledger = new Ledger()
  ledger.add(records)
  return ledger
}

describe('the proof of the demo', () => {
  test('counts what was acknowledged, and what is there besides', async () => {
    const ledger = ledgerOf(acknowledged(0, 'a'), acknowledged(1, 'b'))
    expect(await prove(log, ledger, corpus)).toEqual({ proved: 2, unacknowledged: 1, bytes: 12 })
  })

  test('fails for a record that is missing', async () => {
    const ledger = ledgerOf(acknowledged(0, 'a'), acknowledged(3, 'd'))
    await expect(prove(log, ledger, corpus)).rejects.toThrow('2 records were acknowledged, 1 are')
  })

  test('fails for a record that is not the same', async () => {
    const ledger = ledgerOf(acknowledged(1, 'b', 'was b'))
    await expect(prove(log, ledger, corpus)).rejects.toThrow('offset 1, b, is not what was')
  })

  test('fails for a record out of order', async () => {
    const [a, b, c] = corpus
    if (!a || !b || !c) throw new Error('three files')
    await expect(prove(log, new Ledger(), [a, c, b])).rejects.toThrow('offset 1 holds b')
  })

  test('a ledger refuses an offset that was acknowledged twice', () => {
    expect(() => ledgerOf(acknowledged(0, 'a'), acknowledged(0, 'a'))).toThrow('twice')
  })
})
