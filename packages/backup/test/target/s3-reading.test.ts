import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { TargetError } from '../../src/base/backup-errors.ts'
import { type Fault, S3Double, type S3Request } from './s3-double.ts'

const bytes = randomBytes(10_000)
const others = randomBytes(10_000)

/** The first requests of an operation go wrong. */
const firstOf =
  (operation: S3Request['operation'], fault: Fault, count = 1) =>
  (request: S3Request): Fault | null =>
    request.operation === operation && request.index < count ? fault : null

test('what is broken on its way is read again', async () => {
  const double = await S3Double.start()
  const target = await double.target()
  await target.put('file', bytes)
  const flipped: Fault = {
    kind: 'change',
    change: (answer) => ({ ...answer, body: others }),
  }
  double.fault = firstOf('get', flipped)
  expect((await target.get('file'))?.equals(bytes)).toBe(true)
  double.fault = (request) =>
    request.operation === 'get' && request.index < 3 ? { kind: 'cut', bytes: 5000 } : null
  expect((await target.get('file'))?.equals(bytes)).toBe(true)
  double.fault = (request) => (request.operation === 'get' ? { kind: 'cut', bytes: 5000 } : null)
  await expect(target.get('file')).rejects.toThrow(TargetError)
})

test('a file that is replaced between all readings is read where ETags mean nothing', async () => {
  const double = await S3Double.start()
  const target = await double.target()
  await target.put('file', bytes)
  const versions = [bytes, others] as const
  double.fault = ({ operation, index }) => {
    const isOdd = index % 2 === 1
    const etag = (isOdd ? 'a' : 'b').repeat(32)
    if (operation === 'get') double.store('repo/file', versions[isOdd ? 1 : 0], etag)
    return null
  }
  const read = await target.get('file')
  expect(versions.some((version) => read?.equals(version))).toBe(true)
})

test('what is rotten in the bucket is given as it is, for whoever reads to see', async () => {
  const double = await S3Double.start()
  const target = await double.target()
  await target.put('sound', bytes)
  await target.put('file', bytes)
  const rotten = Buffer.from(bytes)
  rotten[5000] = (rotten[5000] ?? 0) ^ 1
  double.store('repo/file', rotten, double.objects.get('repo/sound')?.etag)
  expect((await target.get('file'))?.equals(rotten)).toBe(true)
  expect((await target.get('sound'))?.equals(bytes)).toBe(true)
})
