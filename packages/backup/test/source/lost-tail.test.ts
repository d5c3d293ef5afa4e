import { readFileSync, writeFileSync } from 'node:fs'
import { LogDirectory, nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { Repository } from '../../src/repository/repository.ts'
import { DirectorySource } from '../../src/source/directory-source.ts'
import { LiveSource } from '../../src/source/live-source.ts'
import { runBackup } from '../../src/taking/backup-run.ts'
import { inlineEncoder } from '../../src/taking/extent-encoder.ts'
import { DirectoryTarget } from '../../src/target/directory-target.ts'

/** Three batches in a closed data directory, of which `hurt` changes the bytes of the last one. */
async function gapsAfter(hurt: (batch: Buffer) => void) {
  using temporary = makeTemporaryDirectory()
  const data = `${temporary.path}/data`
  const directory = await LogDirectory.open(data)
  const log = await directory.createLog('t', 0)
  for (const value of ['one', 'two', 'three']) await log.append({ value })
  await directory.close()
  const path = `${data}/t-0/00000000000000000000.log`
  const bytes = readFileSync(path)
  const start = [...bytes.keys()].findLast((at) => isBatchOf(bytes, at, 2)) ?? 0
  hurt(bytes.subarray(start))
  writeFileSync(path, bytes)
  await using repository = await Repository.create(
    new DirectoryTarget(`${temporary.path}/repository`),
  )
  const encoder = inlineEncoder(nodeFileSystem)
  const { gaps } = await runBackup(repository, new DirectorySource(data), { encoder })
  return gaps
}

function isBatchOf(bytes: Buffer, at: number, baseOffset: number): boolean {
  return (
    at + 61 <= bytes.length &&
    Number(bytes.readBigInt64BE(at)) === baseOffset &&
    bytes[at + 16] === 2
  )
}

test('what a closed log had shown to readers, and is not whole any more, is a gap', async () => {
  const gaps = await gapsAfter((batch) => {
    batch[batch.length - 1] = (batch[batch.length - 1] ?? 0) ^ 1
  })
  expect(gaps).toMatchObject([{ topic: 't', partition: 0, from: 2, to: 3 }])
})

test('a last batch whose place in an open log is damaged is a gap', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  const log = await directory.createLog('t', 0)
  for (const value of ['one', 'two', 'three']) await log.append({ value })
  const path = `${log.directory}/00000000000000000000.log`
  const bytes = readFileSync(path)
  const start = [...bytes.keys()].findLast((at) => isBatchOf(bytes, at, 2)) ?? 0
  // No checksum covers it.
  bytes.writeBigInt64BE(70n, start)
  writeFileSync(path, bytes)
  await using repository = await Repository.create(
    new DirectoryTarget(`${temporary.path}/repository`),
  )
  const encoder = inlineEncoder(nodeFileSystem)
  const { gaps } = await runBackup(repository, new LiveSource(directory), { encoder })
  expect(gaps).toMatchObject([{ topic: 't', partition: 0, to: 3 }])
})

test.each([3n, 70n, 2n ** 40n])(
  'a last batch of a closed log that claims to begin at offset %i is one',
  async (claimed) => {
    const gaps = await gapsAfter((batch) => {
      // No checksum covers it.
      batch.writeBigInt64BE(claimed)
    })
    expect(gaps).toMatchObject([{ topic: 't', partition: 0, to: 3 }])
  },
)

test('a log that is whole has none', async () => {
  expect(await gapsAfter(() => {})).toEqual([])
})
