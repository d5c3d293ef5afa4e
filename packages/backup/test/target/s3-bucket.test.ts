import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { TargetError } from '../../src/base/backup-errors.ts'
import { type Fault, failure, S3Double, type S3Request, slowDown } from './s3-double.ts'

const bytes = randomBytes(10_000)

/** The first requests of an operation go wrong. */
const firstOf =
  (operation: S3Request['operation'], fault: Fault, count = 1) =>
  (request: S3Request): Fault | null =>
    request.operation === operation && request.index < count ? fault : null

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
  const requestTimeoutMs = fault.kind === 'hang' ? 50 : 10_000
  const target = await double.target({ requestTimeoutMs, attempts: 3 })
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
    if (fault.kind !== 'hang') expect([2, 3]).toContain(double.requests.length - before)
  }
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
