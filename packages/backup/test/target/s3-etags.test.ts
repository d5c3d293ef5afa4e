import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { md5Of, S3Etags } from '../../src/target/s3-etags.ts'
import { S3Double } from './s3-double.ts'

const bytes = randomBytes(10_000)

test('ETags that are no MD5s do not stand in the way', async () => {
  const double = await S3Double.start()
  double.etagsAreMd5 = false
  const target = await double.target()
  for (const key of ['a', 'b', 'c']) expect(await target.put(key, bytes)).toBe(true)
  // The first one was read to be sure; then it was clear that they mean nothing.
  expect(double.count('get')).toBe(2)
  expect((await target.get('b'))?.equals(bytes)).toBe(true)
  expect(double.count('get')).toBe(3)
})

test('an ETag says something only where it is an MD5', () => {
  const md5 = md5Of(bytes)
  const file = { sizeBytes: 1, modifiedMs: 0, etag: md5.toString('hex'), isEncrypted: false }
  const other = { ...file, etag: md5Of(Buffer.from('x')).toString('hex') }
  const etags = new S3Etags()
  expect(etags.agrees({ ...file, isEncrypted: true }, md5)).toBe(null)
  expect(etags.agrees({ ...file, etag: `${file.etag}-2` }, md5)).toBe(null)
  expect(etags.agrees(other, md5)).toBe(false)
  etags.meansNothing()
  expect(etags.agrees(other, md5)).toBe(null)
  const sound = new S3Etags()
  expect(sound.agrees(file, md5)).toBe(true)
  // One that does not agree is the file's fault, now that others do.
  sound.meansNothing()
  expect(sound.agrees(other, md5)).toBe(false)
})
