import { BackupCatalogue, DirectoryTarget, Repository } from '@varve/backup'
import { expect, test } from 'vitest'
import { newPath, open, send } from './restore-fixture.ts'

test('closing the data directory ends its backup, and there is none', async () => {
  const varve = await open(newPath('data'))
  await varve.createTopic('orders')
  await send(varve, 'orders', 0, 10)
  const repository = await Repository.create(new DirectoryTarget(newPath('repository')))
  // A byte a second: it would not end by itself.
  const running = varve.backup(repository, { readBytesPerSecond: 1 })
  const outcome = running.catch((error: unknown) => error)
  await varve.close()
  expect(await outcome).toMatchObject({ code: 'VARVE_CLOSED' })
  expect(await new BackupCatalogue(repository).list()).toEqual([])
})

test('and so does the signal of whoever asked for it', async () => {
  await using varve = await open(newPath('data'))
  await varve.createTopic('orders')
  const repository = await Repository.create(new DirectoryTarget(newPath('repository')))
  await send(varve, 'orders', 0, 10)
  const reason = new Error('not now')
  const backup = varve.backup(repository, { signal: AbortSignal.abort(reason) })
  await expect(backup).rejects.toBe(reason)
})
