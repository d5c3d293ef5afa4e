import { readBatches } from '@varve/record'
import { expect, test } from 'vitest'
import { SegmentComparison } from '../../src/healing/segment-comparison.ts'
import { storedCopies } from '../../src/healing/stored-segments.ts'
import { BackupCatalogue } from '../../src/repository/backup-catalogue.ts'
import { appendRecords, dataPath, Machine } from '../backup-fixture.ts'

test('a copy is found by all that makes a segment, and once though many backups share it', async () => {
  const machine = new Machine()
  await using directory = await machine.openData()
  const log = await directory.createLog('a', 0)
  await appendRecords(log, 300)
  await log.settle()
  const repository = await machine.create()
  for (let count = 0; count < 3; count++) await machine.back(repository, directory)
  const [segment] = log.segments()
  if (segment === undefined) throw new Error('there is a segment')
  const { baseOffset, nextOffset, sizeBytes } = segment
  const { manifest } = await new BackupCatalogue(repository).find('latest')
  const topicId = manifest.partitions[0]?.topicId ?? null
  const wanted = { topic: 'a', partition: 0, topicId, baseOffset, nextOffset, sizeBytes }
  const backups = async (changes: Partial<typeof wanted>): Promise<number> => {
    let found = 0
    const failed = (reason: string): never => expect.unreachable(reason)
    for await (const _ of storedCopies(repository, { ...wanted, ...changes }, failed)) found++
    return found
  }
  expect(await backups({})).toBe(1)
  for (const other of [
    { topic: 'b' },
    { partition: 1 },
    { topicId: 'AAAAAAAAAAAAAAAAAAAAAA' },
    { baseOffset: 1 },
    { nextOffset: nextOffset + 1 },
    { sizeBytes: sizeBytes - 1 },
  ]) {
    expect(await backups(other)).toBe(0)
  }
})

test('without a digest a copy must agree with every batch that is sound', async () => {
  const machine = new Machine()
  await using directory = await machine.openData()
  const log = await directory.createLog('a', 0)
  await appendRecords(log, 50)
  const path = `${dataPath}/a-0/00000000000000000000.log`
  const copy = machine.fs.bytesOf(path)
  const compare = (): SegmentComparison => {
    const comparison = new SegmentComparison(machine.fs.open(path, 'read'), null)
    for (const batch of readBatches(copy)) comparison.add(batch)
    return comparison
  }
  expect(compare()).toMatchObject({ isSame: true })
  machine.fs.flipBit(path, 8 * 100)
  expect(compare().isSame).toBe(false)
  expect(compare().refusal()).toBeNull()
  // The base offset of the first batch: no checksum of its own covers it.
  machine.fs.flipBit(path, 8 * 100)
  machine.fs.flipBit(path, 8 * 7)
  expect(compare().refusal()).toContain('position 0')
})
