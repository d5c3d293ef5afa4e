import { LogDirectory, nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { expect, test, vi } from 'vitest'
import { Standby } from '../../src/mirroring/standby.ts'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { Repository } from '../../src/repository/repository.ts'
import { LiveSource } from '../../src/source/live-source.ts'
import { runBackup } from '../../src/taking/backup-run.ts'
import { inlineEncoder } from '../../src/taking/extent-encoder.ts'
import { DirectoryTarget } from '../../src/target/directory-target.ts'

const encoder = inlineEncoder(nodeFileSystem)
const decoder = inlineDecoder()

test('a standby becomes what each newer backup is, and is left alone while somebody has it open', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${temporary.path}/data`)
  const log = await directory.createLog('orders', 0)
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target)
  const source = new LiveSource(directory)
  const to = `${temporary.path}/standby`
  const errors: string[] = []
  const standby = new Standby(repository, {
    ...{ to, intervalMs: 100, encoder, decoder },
    onError: ({ code }) => errors.push(code),
  })
  await vi.waitFor(() => expect(errors).toContain('VARVE_BACKUP_NOT_FOUND'), 5000)

  const backUp = async (count: number): Promise<string> => {
    for (let index = 0; index < count; index++) await log.append({ value: `record ${index}` })
    await log.roll()
    return (await runBackup(repository, source, { encoder })).backupId
  }
  const hasBecome = (backupId: string): Promise<void> =>
    vi.waitFor(() => expect(standby.status).toMatchObject({ backupId, error: null }), 5000)
  await hasBecome(await backUp(3))
  const second = await backUp(2)
  await hasBecome(second)
  expect(standby.status.ageMs).toBeLessThan(10_000)

  const opened = await LogDirectory.open(to)
  expect(opened.log('orders', 0).logEndOffset).toBe(5)
  const third = await backUp(4)
  await vi.waitFor(() => expect(errors).toContain('VARVE_LOG_LOCKED'), 5000)
  expect(standby.status.backupId).toBe(second)
  await opened.close()
  await hasBecome(third)
  await standby.stop()
  await using reopened = await LogDirectory.open(to)
  expect(reopened.log('orders', 0).logEndOffset).toBe(9)
})

test('an interval that is none is refused', async () => {
  using temporary = makeTemporaryDirectory()
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target)
  const to = `${temporary.path}/standby`
  expect(() => new Standby(repository, { to, intervalMs: 0 })).toThrow(InvalidArgumentError)
})
