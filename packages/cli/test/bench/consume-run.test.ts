import { mkdirSync, readdirSync } from 'node:fs'
import { openVarve } from '@varve/broker'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { run, runWith } from '../captured-io.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

const data = `${temporary.path}/disk`
mkdirSync(data)
const tiny = ['--data', data, '--warmup', '0', '--record-size', '200']

describe('varve bench consume', () => {
  test('ends with the columns and the row of kafka-consumer-perf-test', async () => {
    const argv = ['--records', '500', '--partitions', '3', '--consumers', '2']
    const { code, out } = await run('bench', 'consume', ...tiny, ...argv)
    expect(code).toBe(0)
    const [header, row] = out.trimEnd().split('\n').slice(-2)
    expect(header).toMatch(/^start\.time, end\.time, data\.consumed\.in\.MB, .*fetch\.nMsg\.sec$/)
    const cells = Object.fromEntries(
      (header ?? '').split(', ').map((name, at) => [name, row?.split(', ')[at]]),
    )
    expect(cells['data.consumed.in.nMsg']).toBe('500')
    expect(readdirSync(data)).toEqual([])
  })

  test('states what was read, and nothing of how records that it made were sent', async () => {
    const { stdout } = await run('bench', 'consume', ...tiny, '--records', '100', '--json')
    const [{ conditions }] = stdout.documents
    expect(conditions).toMatchObject({ partitions: 1, compression: 'none', consumers: 1 })
    for (const name of ['acks', 'inFlight', 'lingerMs', 'producers']) {
      expect(conditions).not.toHaveProperty(name)
    }
    const refused = await run('bench', 'consume', ...tiny, '--acks', 'all')
    expect(refused.code).toBe(2)
  })

  test('interrupted while it fills its topic, it says so, and leaves nothing', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const running = runWith({ signal }, 'bench', 'consume', ...tiny, '--records', '100000000')
    await vi.waitUntil(() => readdirSync(data).length > 0, { interval: 10 })
    controller.abort()
    const { code, err } = await running
    expect(code).toBe(3)
    expect(err).toContain('interrupted before it was done')
    expect(readdirSync(data)).toEqual([])
  })

  test('of an empty topic there is nothing to report', async () => {
    const address = `${temporary.path}/empty`
    {
      await using varve = await openVarve(address)
      await varve.createTopic('orders')
    }
    const argv = ['--data', address, '--topic', 'orders', '--warmup', '0', '--json']
    const { code, err } = await run('bench', 'consume', ...argv)
    expect(code).toBe(3)
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'VARVE_BENCH_FAILED' } })
  })

  test('reads a topic that is there without changing it; a group has to be allowed', async () => {
    const address = `${temporary.path}/owned`
    await using varve = await openVarve(address)
    await varve.createTopic('orders')
    await varve.producer().send('orders', [{ value: 'a' }, { value: 'b' }])
    const argv = ['bench', 'consume', '--data', address, '--topic', 'orders', '--warmup', '0']
    const { code, stdout } = await run(...argv, '--json')
    expect(code).toBe(0)
    expect(stdout.documents[0].measurements).toMatchObject([{ records: 2, latency: null }])
    const refused = await run(...argv, '--group', 'g')
    expect(refused).toMatchObject({ code: 2 })
    expect(refused.err).toContain('--existing')
  })

  test('a topic that is not there is an error, and is not made', async () => {
    const argv = ['--data', `${temporary.path}/owned`, '--topic', 'missing']
    const { code, err } = await run('bench', 'consume', ...argv)
    expect(code).toBe(3)
    expect(err).toContain('missing')
  })
})
