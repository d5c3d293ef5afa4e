import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { TargetError } from '../../src/base/backup-errors.ts'
import { type Fault, S3Double, type S3Request } from './s3-double.ts'

const bytes = randomBytes(10_000)
const others = randomBytes(10_000)

/** Of the files themselves: the probe has a key of its own. */
const onFiles =
  (fault: Fault, count = Number.POSITIVE_INFINITY) =>
  (request: S3Request): Fault | null =>
    request.operation === 'put' && request.key === 'repo/file' && count-- > 0 ? fault : null

test('a file whose answer was lost is told from one that somebody else made', async () => {
  const double = await S3Double.start()
  const target = await double.target()
  double.fault = onFiles({ kind: 'reset', isDone: true }, 1)
  expect(await target.put('file', bytes)).toBe(true)
  expect(await target.put('file', bytes)).toBe(false)
  expect(await target.put('file', others)).toBe(false)
  double.objects.delete('repo/file')
  double.fault = (request) => {
    if (request.operation !== 'put') return null
    double.store('repo/file', others)
    double.fault = () => null
    return { kind: 'reset', isDone: false }
  }
  expect(await target.put('file', bytes)).toBe(false)
  expect(double.bytesOf('file')).toEqual(others)
})

const lies: ReadonlyArray<readonly [string, Fault]> = [
  ['stores nothing', { kind: 'store', bytes: null }],
  ['stores other bytes', { kind: 'store', bytes: others }],
  ['stores the beginning', { kind: 'store', bytes: bytes.subarray(0, 5000), liesInEtag: true }],
  ['stores too much', { kind: 'store', bytes: Buffer.concat([bytes, bytes]), liesInEtag: true }],
]

test.each(lies)('a server that says yes and %s is found out', async (_, lie) => {
  for (const mode of ['new', 'replace'] as const) {
    for (const conditions of ['kept', 'refused', 'ignored'] as const) {
      const double = await S3Double.start()
      double.conditions = conditions
      const target = await double.target({ attempts: 4 })
      double.fault = onFiles(lie, 2)
      expect(await target.put('file', bytes, { mode })).toBe(true)
      expect(double.bytesOf('file')).toEqual(bytes)
      await target.remove('file')
      double.fault = onFiles(lie)
      await expect(target.put('file', bytes, { mode })).rejects.toThrow(TargetError)
      // What is wrong would pass for the file with everybody who finds it.
      expect(double.bytesOf('file')).toBe(undefined)
    }
  }
})

test('a server that lies in everything but the bytes is found out by reading', async () => {
  const double = await S3Double.start()
  const lie: Fault = { kind: 'store', bytes: others, liesInEtag: true }
  double.fault = onFiles(lie)
  const trusting = await double.target()
  expect(await trusting.put('file', bytes, { mode: 'replace' })).toBe(true)
  const careful = await double.target({ check: 'read', attempts: 3 })
  await expect(careful.put('file', bytes, { mode: 'replace' })).rejects.toThrow(/something else/)
  expect(double.bytesOf('file')).toBe(undefined)
  double.fault = () => null
  expect(await careful.put('file', bytes)).toBe(true)
})
