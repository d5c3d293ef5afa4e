import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { TargetError } from '../../src/base/backup-errors.ts'
import { type Fault, failure, S3Double, type S3Request, slowDown, xml } from './s3-double.ts'

const bytes = randomBytes(10_000)
const others = randomBytes(10_000)

/** The first requests of an operation go wrong. */
const firstOf =
  (operation: S3Request['operation'], fault: Fault, count = 1) =>
  (request: S3Request): Fault | null =>
    request.operation === operation && request.index < count ? fault : null

/** Of the files themselves: the probe has a key of its own. */
const onFiles =
  (fault: Fault, count = Number.POSITIVE_INFINITY) =>
  (request: S3Request): Fault | null =>
    request.operation === 'put' && request.key === 'repo/file' && count-- > 0 ? fault : null

const passing: ReadonlyArray<readonly [string, Fault]> = [
  ['resets the connection', { kind: 'reset', isDone: false }],
  ['does it and resets the connection', { kind: 'reset', isDone: true }],
  ['throttles', { kind: 'answer', isDone: false, answer: slowDown }],
  ['fails', { kind: 'answer', isDone: false, answer: failure(500, 'InternalError') }],
  ['does it and says that it failed', { kind: 'answer', isDone: true, answer: failure(500, 'X') }],
  [
    'answers through a proxy',
    { kind: 'answer', isDone: false, answer: { status: 502, body: '<' } },
  ],
  ['is too slow to answer', { kind: 'hang' }],
]

test.each(passing)('a server that %s for a while is borne with', async (_, fault) => {
  for (const operation of ['put', 'head', 'get', 'list', 'delete'] as const) {
    const double = await S3Double.start()
    const target = await double.target({ requestTimeoutMs: 100 })
    double.fault = firstOf(operation, fault, 3)
    expect(await target.put('file', bytes), operation).toBe(true)
    expect((await target.get('file'))?.equals(bytes), operation).toBe(true)
    const keys: string[] = []
    for await (const { key } of target.list('')) keys.push(key)
    expect(keys, operation).toEqual(['file'])
    await target.remove('file')
    expect(await target.stat('file'), operation).toBe(null)
    expect(double.count(operation), operation).toBeGreaterThan(3)
  }
})

test.each(passing)('a server that %s all the time fails typed, and soon', async (_, fault) => {
  const double = await S3Double.start()
  const target = await double.target({ requestTimeoutMs: 50, attempts: 3 })
  double.fault = () => fault
  const calls = [
    () => target.put('file', bytes),
    () => target.get('file'),
    () => target.stat('file'),
    () => target.remove('file'),
    async () => {
      for await (const _file of target.list('')) expect.unreachable()
    },
  ]
  for (const call of calls) {
    const before = double.requests.length
    const error = await call().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TargetError)
    expect(error).toMatchObject({ code: 'VARVE_BACKUP_TARGET', retriable: true })
    // One may be lost on a connection that was reset just before.
    expect([2, 3]).toContain(double.requests.length - before)
  }
})

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

test('listings that leave out, repeat or never end are refused', async () => {
  const double = await S3Double.start()
  const target = await double.target({ attempts: 2 })
  for (const key of ['a', 'b', 'c']) await target.put(key, bytes)
  const date = '<LastModified>2026-01-01T00:00:00Z</LastModified>'
  const entry = (key: string): string =>
    `<Contents><Key>${key}</Key><Size>1</Size>${date}</Contents>`
  const more = '<IsTruncated>true</IsTruncated>'
  const token = `${more}<NextContinuationToken>same</NextContinuationToken>`
  const pages = [
    entry('repo/b') + entry('repo/a'),
    entry('repo/a') + entry('repo/a'),
    entry('other/a'),
    `<Contents><Key>repo/a</Key>${date}</Contents>`,
    entry('repo/a') + token,
    token,
    more,
  ]
  for (const page of pages) {
    const answer = xml('ListBucketResult', page)
    double.fault = ({ operation }) =>
      operation === 'list' ? { kind: 'answer', isDone: false, answer } : null
    const list = async (): Promise<void> => {
      for await (const _file of target.list(''));
    }
    await expect(list(), page).rejects.toThrow(TargetError)
  }
})

test('a listing that goes on without a token is gone on with by its last key', async () => {
  const double = await S3Double.start()
  double.pageKeys = 2
  const target = await double.target()
  for (const key of ['a', 'b', 'c', 'd', 'e']) await target.put(key, bytes)
  const change: Fault = {
    kind: 'change',
    change: (answer) => ({
      ...answer,
      body: String(answer.body).replace(/<NextContinuationToken>.*<\/NextContinuationToken>/, ''),
    }),
  }
  double.fault = ({ operation }) => (operation === 'list' ? change : null)
  const keys: string[] = []
  for await (const { key } of target.list('')) keys.push(key)
  expect(keys).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('a missing bucket and wrong keys are failures, not empty repositories', async () => {
  const double = await S3Double.start()
  const target = await double.target()
  for (const [status, code] of [
    [404, 'NoSuchBucket'],
    [403, 'AccessDenied'],
    [403, 'SignatureDoesNotMatch'],
    [301, 'PermanentRedirect'],
  ] as const) {
    double.fault = () => ({ kind: 'answer', isDone: false, answer: failure(status, code) })
    const before = double.requests.length
    const errors = [
      await target.get('file').catch((error: unknown) => error),
      await target.put('file', bytes).catch((error: unknown) => error),
    ]
    for (const error of errors) {
      expect(error).toBeInstanceOf(TargetError)
      expect(String(error)).toContain(code)
      expect(error).toMatchObject({ retriable: false })
    }
    // What will not get better is not tried again.
    expect(double.requests.length - before).toBe(2)
  }
})

test('what fails says nothing of what signs requests', async () => {
  const double = await S3Double.start()
  const target = await double.target({ attempts: 1 })
  const { inspect } = await import('node:util')
  const faults: readonly Fault[] = [
    { kind: 'reset', isDone: false },
    { kind: 'answer', isDone: false, answer: failure(403, 'SignatureDoesNotMatch') },
    { kind: 'answer', isDone: false, answer: { status: 200, body: '<garbage' } },
  ]
  for (const fault of faults) {
    double.fault = () => fault
    for (const call of [() => target.put('file', bytes), () => target.get('file')]) {
      const error = await call().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(TargetError)
      const text = inspect(error, { depth: 20, showHidden: true })
      expect(text).not.toMatch(/never-to-be-seen|Signature=|authorization/i)
    }
  }
})
