import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { TargetError } from '../../src/base/backup-errors.ts'
import { DirectoryTarget } from '../../src/target/directory-target.ts'
import { backUpAndRestore } from './round-trip.ts'
import { S3Double, slowDown } from './s3-double.ts'

test('a backup in a bucket is what one in a directory is', async () => {
  using directory = makeTemporaryDirectory()
  const path = `${directory.path}/repository`
  await backUpAndRestore(async () => new DirectoryTarget(path), { batches: 200 })
  const double = await S3Double.start()
  await backUpAndRestore(() => double.target(), { batches: 200 })
})

test('a backup goes through although every third request fails somehow', async () => {
  const double = await S3Double.start()
  let count = 0
  double.fault = () => {
    const turn = count++ % 12
    if (turn === 2) return { kind: 'reset', isDone: false }
    if (turn === 5) return { kind: 'reset', isDone: true }
    if (turn === 8) return { kind: 'answer', isDone: false, answer: slowDown }
    return turn === 11 ? { kind: 'cut', bytes: 100 } : null
  }
  await backUpAndRestore(() => double.target({ attempts: 20 }), { batches: 60 })
})

test('a server that stores nothing but says so fails the backup', async () => {
  const double = await S3Double.start()
  double.fault = ({ operation, key }) =>
    operation === 'put' && key.includes('/objects/') ? { kind: 'store', bytes: null } : null
  const run = backUpAndRestore(() => double.target({ attempts: 3 }), { batches: 20 })
  await expect(run).rejects.toThrow(TargetError)
  const keys = [...double.objects.keys()]
  // There is no backup, and no lease that would stand in the way of the next run.
  expect(keys.filter((key) => /\/(?:manifests|leases|objects)\//.test(key))).toEqual([])
})
