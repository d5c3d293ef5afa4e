import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { failure, S3Double } from './s3-double.ts'

const bytes = randomBytes(10_000)

test('a server that refuses whatever is conditional is not taken at its word', async () => {
  const double = await S3Double.start()
  double.fault = ({ headers }) =>
    headers['if-none-match'] === undefined
      ? null
      : { kind: 'answer', isDone: false, answer: failure(412, 'PreconditionFailed') }
  const target = await double.target({ attempts: 3 })
  expect(await target.put('file', bytes)).toBe(true)
  expect(target.isCreateOnlyAtomic).toBe(false)
  const declared = await double.target({ attempts: 3 }, `${double.address}&create-only=yes`)
  await expect(declared.put('another', bytes)).rejects.toThrow(/both that there is a file/)
})

test('what the server can do is asked once, or taken from the address', async () => {
  const double = await S3Double.start()
  const target = await double.target()
  expect(target.isCreateOnlyAtomic).toBe(false)
  await Promise.all(['a', 'b', 'c'].map((key) => target.put(key, bytes)))
  expect(target.isCreateOnlyAtomic).toBe(true)
  const probes = (): number => double.requests.filter(({ key }) => key.includes('probe')).length
  expect(probes()).toBe(2)
  const next = await double.target()
  await next.put('d', bytes)
  // The probe is there already: being refused is enough, once it is seen.
  expect(probes()).toBe(4)
  const declared = await double.target({}, `${double.address}&create-only=no`)
  await declared.put('e', bytes)
  expect(declared.isCreateOnlyAtomic).toBe(false)
  expect(probes()).toBe(4)
})
