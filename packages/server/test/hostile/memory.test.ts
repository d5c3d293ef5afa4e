import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { RecordBatchBuilder } from '@varve/record'
import { expect, test } from 'vitest'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { produce } from '../../src/protocol/apis/produce.ts'
import { encodeRequest } from '../../src/protocol/messages.ts'
import { WireClient } from '../wire-client.ts'
import { WatchedServer } from './watched-server.ts'

const megabyte = 2 ** 20

async function raw(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** The most memory that something takes beyond what was taken before, in bytes. */
async function memoryOf(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage().rss
  let most = before
  const look = (): void => {
    most = Math.max(most, process.memoryUsage().rss)
  }
  const timer = setInterval(look, 5)
  await work()
  look()
  clearInterval(timer)
  return most - before
}

test('requests of which a part comes take no more memory together than they may', async () => {
  const limits = { partialRequestBytesMax: 16 * megabyte }
  await using watched = await WatchedServer.start({ limits })
  const part = Buffer.alloc(2 * megabyte + 4)
  part.writeInt32BE(90 * megabyte, 0)
  const sockets: Socket[] = []
  const bytes = await memoryOf(async () => {
    for (let index = 0; index < 40; index++) {
      const socket = await raw(watched.port)
      sockets.push(socket)
      socket.write(part)
    }
    await expect.poll(() => watched.reasons.length, { timeout: 10_000 }).toBeGreaterThan(10)
  })
  for (const socket of sockets) socket.destroy()
  expect(watched.reasons.every((reason) => reason.includes('too much memory'))).toBe(true)
  expect(bytes).toBeLessThan(400 * megabyte)
  expect(await watched.slowestMs()).toBeLessThan(3000)
})

test('answers that nobody reads take no more memory together than they may', async () => {
  const limits = { unreadAnswerBytesMax: 8 * megabyte }
  await using watched = await WatchedServer.start({ limits })
  const topics = Array.from({ length: 3000 }, (_, index) => ({
    name: `${index}${'x'.repeat(240)}`,
  }))
  const request = { topics, allowAutoTopicCreation: false }
  const asked = Buffer.concat(
    encodeRequest(metadata, 9, { correlationId: 1, clientId: null }, request),
  )
  const sockets: Socket[] = []
  const bytes = await memoryOf(async () => {
    for (let index = 0; index < 16; index++) {
      const socket = await raw(watched.port)
      socket.pause()
      sockets.push(socket)
      for (let sent = 0; sent < 8; sent++) socket.write(asked)
    }
    await expect.poll(() => watched.reasons.length, { timeout: 20_000 }).toBeGreaterThan(5)
  })
  for (const socket of sockets) socket.destroy()
  expect(bytes).toBeLessThan(600 * megabyte)
  expect(await watched.slowestMs()).toBeLessThan(5000)
})

test.each(['gzip', 'zstd', 'lz4', 'snappy'] as const)(
  'a batch of %s that becomes enormous is refused, whatever has it decoded',
  async (compressionType) => {
    await using watched = await WatchedServer.start()
    await watched.server.varve.createTopic('compacted', { cleanupPolicy: ['compact'] })
    await watched.server.varve.createTopic('other', { compressionType: 'uncompressed' })
    const builder = new RecordBatchBuilder({ compressionType, defaultTimestamp: Date.now() })
    const value = Buffer.alloc(48 * megabyte)
    builder.append({ key: 'key', value })
    const { bytes: records } = builder.build()
    await using client = await WireClient.connect(watched.port)
    const taken = await memoryOf(async () => {
      for (const name of ['compacted', 'other']) {
        const { responses } = await client.call(produce, 9, {
          ...{ acks: 1, timeoutMs: 1000 },
          topicData: [{ name, partitionData: [{ index: 0, records }] }],
        })
        expect(responses[0]?.partitionResponses[0]?.errorCode).toBeGreaterThan(0)
      }
    })
    expect(taken).toBeLessThan(300 * megabyte)
    expect(watched.unforeseen).toEqual([])
    expect(await watched.slowestMs()).toBeLessThan(3000)
  },
)
