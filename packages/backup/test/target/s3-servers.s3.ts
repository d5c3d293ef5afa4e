import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { TargetError } from '../../src/base/backup-errors.ts'
import { S3Target } from '../../src/target/s3-target.ts'
import { describeWithS3Servers } from './real-servers.ts'
import { describeTarget } from './target-conformance.ts'

describeWithS3Servers((server) => {
  // Swift, in Python, takes a minute for what fills a page.
  const manyFiles = server.name === 'OpenStack Swift' ? 250 : 1005
  const makePlace = async () => {
    const address = await server.newAddress()
    return { open: () => server.open(address) }
  }
  describeTarget('a bucket', makePlace, { manyFiles })

  test('large files go in parts, and are there whole', async () => {
    const target = await server.open(await server.newAddress(), { partBytes: 5 * 2 ** 20 })
    const bytes = randomBytes(17 * 2 ** 20)
    for (const mode of ['new', 'replace'] as const) {
      expect(await target.put(`large/${mode}`, bytes, { mode })).toBe(true)
      expect((await target.get(`large/${mode}`))?.equals(bytes)).toBe(true)
    }
    expect(await target.put('large/new', bytes)).toBe(false)
    await target.close()
  })

  test('an upload that was stopped is gone on with, or given up', async () => {
    const address = await server.newAddress()
    const target = await server.open(address, { partBytes: 5 * 2 ** 20 })
    const bytes = randomBytes(40 * 2 ** 20)
    for (const delayMs of [50, 150, 300]) {
      const signal = AbortSignal.timeout(delayMs)
      await target.put('large', bytes, { signal }).catch(() => undefined)
    }
    await target.put('large', bytes)
    expect((await target.get('large'))?.equals(bytes)).toBe(true)
    const stopped = target.put('left', bytes, { signal: AbortSignal.timeout(200) })
    await stopped.catch(() => undefined)
    await target.removeTemporaryFiles()
    await target.close()
  })
})

describeWithS3Servers((server) => {
  test('who is first is decided by the server, or it is said that it is not', async () => {
    const target = await server.open(await server.newAddress())
    await target.put('file', Buffer.from('x'))
    const expected: Readonly<Record<string, boolean>> = {
      'Ceph radosgw': true,
      'OpenStack Swift': false,
    }
    expect(target.isCreateOnlyAtomic).toBe(expected[server.name] ?? target.isCreateOnlyAtomic)
    await target.close()
  })

  test('wrong keys and missing buckets are failures that say so', async () => {
    const address = await server.newAddress()
    const credentials = { accessKeyId: 'nobody', secretAccessKey: 'nothing' }
    const stranger = await S3Target.open(address, { credentials })
    const elsewhere = await server.open(address.replace('s3://varve-', 's3://no-such-'))
    for (const target of [stranger, elsewhere]) {
      const errors = [
        await target.get('file').catch((error: unknown) => error),
        await target.put('file', Buffer.from('x')).catch((error: unknown) => error),
      ]
      for (const error of errors) expect(error).toBeInstanceOf(TargetError)
      await target.close()
    }
  })

  test('rates of writing and reading are measured', async () => {
    const target = await server.open(await server.newAddress())
    const bytes = randomBytes(8 * 2 ** 20)
    const keys = Array.from({ length: 16 }, (_, index) => `object/${index}`)
    const rateOf = async (run: (key: string) => Promise<unknown>): Promise<string> => {
      const startedMs = performance.now()
      const next = keys.values()
      const lane = async (): Promise<void> => {
        for (const key of next) await run(key)
      }
      await Promise.all([lane(), lane(), lane()])
      const seconds = (performance.now() - startedMs) / 1000
      return `${((keys.length * 8) / seconds).toFixed(0)} MiB/s`
    }
    const writing = await rateOf((key) => target.put(key, bytes))
    const reading = await rateOf((key) => target.get(key))
    process.stdout.write(`${server.name}: writing ${writing}, reading ${reading}, 3 at a time\n`)
    expect((await target.get('object/15'))?.equals(bytes)).toBe(true)
    await target.close()
  })
})
