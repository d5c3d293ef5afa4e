import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { startTestServer } from '../test-server.ts'
import { ask } from './http-client.ts'

test('a server that serves is healthy and ready, and shows metrics', async () => {
  await using server = await startTestServer({ http: { port: 0 } })
  await server.varve.createTopic('orders', { partitions: 2 })
  const address = server.httpAddress ?? ''
  const health = await ask(address, '/health')
  expect(health.status).toBe(200)
  expect(JSON.parse(health.text)).toMatchObject({ status: 'ok', reasons: [], isServing: true })
  expect((await ask(address, '/ready')).status).toBe(200)
  const metrics = await ask(address, '/metrics')
  expect(metrics.headers['content-type']).toContain('version=0.0.4')
  expect(metrics.text).toContain('varve_log_end_offset{topic="orders",partition="1"} 0')
})

test('a log whose disk failed makes the server unhealthy, with the reason', async () => {
  const fs = new SimulatedFileSystem()
  const server = await startTestServer({ http: { port: 0 } }, fs)
  await server.varve.createTopic('orders')
  const log = server.varve.log('orders', 0)
  await log.append({ value: 'kept' })
  fs.injectFault({ kind: 'ENOSPC', isLasting: true })
  await expect(log.append({ value: 'x' })).rejects.toThrow()
  fs.clearFaults()
  const address = server.httpAddress ?? ''
  for (const path of ['/health', '/ready']) {
    const { status, text } = await ask(address, path)
    expect(status).toBe(503)
    expect(JSON.parse(text)).toMatchObject({
      status: 'failing',
      reasons: [{ reason: 'log-failed', log: 'orders-0' }],
    })
  }
  await expect(server.close()).rejects.toMatchObject({ code: 'VARVE_LOG_OFFLINE' })
})

test('a log that was opened while the disk was full wants another opening', async () => {
  const fs = new SimulatedFileSystem()
  const before = await startTestServer({}, fs)
  await before.varve.createTopic('orders')
  const log = before.varve.log('orders', 0)
  await log.append({ value: 'kept' })
  fs.injectFault({ kind: 'ENOSPC', isLasting: true })
  await expect(log.append({ value: 'x' })).rejects.toThrow()
  await expect(before.close()).rejects.toThrow()
  fs.clearFaults()
  // What is written first is the directory's; then the log is recovered.
  fs.injectFault({ kind: 'ENOSPC', after: 4 })
  const full = await startTestServer({ http: { port: 0 } }, fs)
  const { status, text } = await ask(full.httpAddress ?? '', '/health')
  expect(JSON.parse(text)).toMatchObject({
    status: 'failing',
    reasons: [{ reason: 'log-failed', log: 'orders-0' }],
  })
  expect(status).toBe(503)
  await full.close().catch(() => undefined)
  fs.clearFaults()
  await using again = await startTestServer({ http: { port: 0 } }, fs)
  expect((await ask(again.httpAddress ?? '', '/health')).status).toBe(200)
  expect((await again.varve.log('orders', 0).read({ from: 0 })).batches).toHaveLength(1)
})

test('who shows no token is told how it stands, and no names', async () => {
  const token = 'a-token-of-enough-length'
  await using server = await startTestServer({ http: { port: 0, token } })
  await server.varve.createTopic('secret')
  const { status, text } = await ask(server.httpAddress ?? '', '/health')
  expect(status).toBe(200)
  expect(JSON.parse(text)).toEqual({ status: 'ok' })
})

test('there is no HTTP unless it is asked for', async () => {
  await using server = await startTestServer()
  expect(server.httpAddress).toBeNull()
})
