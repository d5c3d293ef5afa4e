import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { TargetError } from '../../src/base/backup-errors.ts'
import { failure, md5, S3Double, slowDown } from './s3-double.ts'

const mebibyte = 2 ** 20
const partBytes = 5 * mebibyte
const bytes = randomBytes(13 * mebibyte)
const partsOf = (content: Buffer): readonly Buffer[] => [
  content.subarray(0, partBytes),
  content.subarray(partBytes, 2 * partBytes),
  content.subarray(2 * partBytes),
]

test('large files go in parts, and are there whole', async () => {
  const double = await S3Double.start()
  const target = await double.target({ partBytes })
  expect(await target.put('file', bytes)).toBe(true)
  expect((await target.get('file'))?.equals(bytes)).toBe(true)
  expect(double.count('part')).toBe(3)
  expect(await target.put('file', bytes)).toBe(false)
  expect(double.count('begin')).toBe(1)
  expect(await target.put('file', randomBytes(6 * mebibyte), { mode: 'replace' })).toBe(true)
  expect(double.bytesOf('file')?.length).toBe(6 * mebibyte)
  expect(double.uploads.size).toBe(0)
})

test('an upload that broke off is gone on with', async () => {
  const double = await S3Double.start()
  double.fault = ({ operation, query }) =>
    operation === 'part' && query.get('partNumber') === '3'
      ? { kind: 'reset', isDone: false }
      : null
  const target = await double.target({ partBytes, attempts: 2 })
  await expect(target.put('file', bytes)).rejects.toThrow(TargetError)
  expect(double.bytesOf('file')).toBe(undefined)
  double.fault = () => null
  const before = double.count('part')
  const next = await double.target({ partBytes })
  expect(await next.put('file', bytes)).toBe(true)
  expect(double.count('part') - before).toBe(1)
  expect(double.count('begin')).toBe(1)
  expect(double.bytesOf('file')?.equals(bytes)).toBe(true)
})

test("somebody else's upload of the same file is left alone", async () => {
  const double = await S3Double.start()
  const [first, , third] = partsOf(bytes)
  const others = new Map([
    [1, first as Buffer],
    [2, randomBytes(partBytes)],
    [3, third as Buffer],
  ])
  double.uploads.set('theirs', { id: 'theirs', key: 'repo/file', parts: new Map(others) })
  const target = await double.target({ partBytes })
  expect(await target.put('file', bytes)).toBe(true)
  expect(double.bytesOf('file')?.equals(bytes)).toBe(true)
  for (const [number, part] of others) {
    expect(double.uploads.get('theirs')?.parts.get(number)?.equals(part)).toBe(true)
  }
})

test('parts are sent again when the server throttles, resets or garbles them', async () => {
  const double = await S3Double.start()
  double.fault = ({ operation, index }) => {
    if (operation === 'part' && index < 2) return { kind: 'reset', isDone: index === 0 }
    if (operation === 'part' && index < 5) {
      const answer = index === 3 ? failure(400, 'BadDigest') : slowDown
      return { kind: 'answer', isDone: false, answer }
    }
    const isGarbled = operation === 'begin' && index === 0
    return isGarbled ? { kind: 'answer', isDone: true, answer: { status: 200, body: '<x' } } : null
  }
  const target = await double.target({ partBytes })
  expect(await target.put('file', bytes)).toBe(true)
  expect(double.bytesOf('file')?.equals(bytes)).toBe(true)
})

test('a file that was put together although the answer was lost is there', async () => {
  const double = await S3Double.start()
  for (const isConditional of [true, false]) {
    double.fault = ({ operation, key }) =>
      operation === 'complete' && !double.objects.has(key) ? { kind: 'reset', isDone: true } : null
    const target = await double.target({ partBytes })
    const mode = isConditional ? 'new' : 'replace'
    expect(await target.put(`file-${mode}`, bytes, { mode })).toBe(true)
    expect(double.bytesOf(`file-${mode}`)?.equals(bytes)).toBe(true)
  }
})

test('a file that was put together wrong is found out', async () => {
  const double = await S3Double.start()
  let lies = 1
  const lie = (key: string): void => {
    const wrong = randomBytes(bytes.length)
    double.store(key, wrong, `${md5(wrong)}-3`)
  }
  double.fault = ({ operation, key }) => {
    if (operation === 'head' && double.objects.has(key) && lies-- > 0) lie(key)
    return null
  }
  const target = await double.target({ partBytes, attempts: 3 })
  expect(await target.put('file', bytes, { mode: 'replace' })).toBe(true)
  expect(double.bytesOf('file')?.equals(bytes)).toBe(true)
  lies = Number.POSITIVE_INFINITY
  await expect(target.put('file', bytes, { mode: 'replace' })).rejects.toThrow(TargetError)
  expect(double.bytesOf('file')).toBe(undefined)
})

test('what cannot be finished is given up, and what was left behind is tidied away', async () => {
  const double = await S3Double.start()
  double.fault = ({ operation, index }) =>
    operation === 'part' && index === 1
      ? { kind: 'answer', isDone: false, answer: failure(403, 'AccessDenied') }
      : null
  const target = await double.target({ partBytes })
  await expect(target.put('file', bytes)).rejects.toThrow(/AccessDenied/)
  expect(double.uploads.size).toBe(0)
  for (const key of ['repo/a', 'repo/b/c', 'elsewhere/d']) {
    double.uploads.set(key, { id: key, key, parts: new Map([[1, bytes]]) })
  }
  await target.removeTemporaryFiles()
  expect([...double.uploads.keys()]).toEqual(['elsewhere/d'])
})

test('a server that cannot list uploads is sent all of it', async () => {
  const double = await S3Double.start()
  double.fault = ({ operation }) =>
    operation === 'list-uploads'
      ? { kind: 'answer', isDone: false, answer: failure(501, 'NotImplemented') }
      : null
  const target = await double.target({ partBytes })
  expect(await target.put('file', bytes)).toBe(true)
  expect(double.bytesOf('file')?.equals(bytes)).toBe(true)
})

test('a signal ends an upload at once, and the next one goes on with it', async () => {
  const double = await S3Double.start()
  double.fault = ({ operation, index }) =>
    operation === 'part' && index >= 2 ? { kind: 'hang' } : null
  const stopping = new AbortController()
  const target = await double.target({ partBytes })
  const put = target.put('file', bytes, { signal: stopping.signal })
  while (double.uploads.get('upload-1')?.parts.size !== 2) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  stopping.abort(new Error('enough'))
  await expect(put).rejects.toThrow('enough')
  double.fault = () => null
  const before = double.count('part')
  expect(await target.put('file', bytes)).toBe(true)
  expect(double.count('part') - before).toBe(1)
})
