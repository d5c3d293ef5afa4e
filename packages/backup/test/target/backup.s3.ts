import { makeTemporaryDirectory } from '@varve/log/testing'
import { test } from 'vitest'
import { DirectoryTarget } from '../../src/target/directory-target.ts'
import { describeWithS3Servers } from './real-servers.ts'
import { backUpAndRestore } from './round-trip.ts'

const options = { batches: 1000 }

test('a directory holds backups that restore', async () => {
  using directory = makeTemporaryDirectory()
  const path = `${directory.path}/repository`
  await backUpAndRestore(async () => new DirectoryTarget(path), options)
})

describeWithS3Servers((server) => {
  test('a bucket holds backups that restore', async () => {
    const address = await server.newAddress()
    await backUpAndRestore(() => server.open(address), options)
  })
})
