import { LogDirectory, nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory, Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { drawn } from '../../../record/test/campaign-scale.ts'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { Repository } from '../../src/repository/repository.ts'
import { LiveSource } from '../../src/source/live-source.ts'
import { type BackupReport, runBackup } from '../../src/taking/backup-run.ts'
import { inlineEncoder } from '../../src/taking/extent-encoder.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { S3Double } from './s3-double.ts'

const decoder = inlineDecoder()
const rounds = drawn(6, 40)

test('whatever request a backup gets to, the bucket holds whole backups only', async () => {
  const random = new Random(seedFromEnvironment('backups to a bucket that go no further'))
  using directory = makeTemporaryDirectory()
  await using source = await LogDirectory.open(`${directory.path}/data`)
  const log = await source.createLog('t', 0)
  const double = await S3Double.start()
  const made = await Repository.create(await double.target(), { objectBytes: 4096 })
  await made.close()

  const back = async (attempts: number): Promise<BackupReport> => {
    const target = await double.target({ attempts })
    await using repository = await Repository.open(target)
    const kind = random.pick(['full', 'incremental', 'differential'] as const)
    const encoder = inlineEncoder(nodeFileSystem)
    return runBackup(repository, new LiveSource(source), { kind, encoder, threads: 2 })
  }
  const soundBackups = async (): Promise<number> => {
    await using repository = await Repository.open(await double.target())
    const { findings, backups } = await verifyRepository(repository, { decoder })
    expect(findings).toEqual([])
    return backups
  }

  let cut = 0
  let backups = 0
  for (let round = 0; round < rounds; round++) {
    for (let batch = 0; batch < 10; batch++) {
      await log.append([{ key: 'k', value: random.bytes(1000) }], { acks: 'written' })
    }
    // From some request on nobody answers any more; what it asked for was done, or was not.
    let left = random.int(round === 0 ? 10 : 70)
    const isDone = random.bool()
    double.fault = () => {
      if (left > 0) {
        left--
        return null
      }
      const isLast = left-- === 0
      return { kind: 'reset', isDone: isLast && isDone }
    }
    const isCut = await back(1).then(
      () => false,
      () => true,
    )
    double.fault = () => null
    if (isCut) cut++
    const found = await soundBackups()
    // What was promised is there; what was not may be, if its last request was carried out.
    expect(found - backups).toBeGreaterThanOrEqual(isCut ? 0 : 1)
    expect((await back(3)).gaps).toEqual([])
    backups = await soundBackups()
    expect(backups).toBe(found + 1)
  }
  process.stdout.write(`${cut} of ${rounds} backups were cut off\n`)
  expect(cut).toBeGreaterThan(0)
})
