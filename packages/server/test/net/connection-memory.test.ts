import { expect, test } from 'vitest'
import { type Call, handlerOf } from '../../src/base/api-handler.ts'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import { produce } from '../../src/protocol/apis/produce.ts'
import { fetchRequest, produceRequest } from '../produced-batch.ts'
import { connected } from './connected.ts'

const mib = 2 ** 20

test('of a client that never waits so many bytes are begun, the rest when those are answered', async () => {
  const begun: (() => void)[] = []
  const options = { versions: '3-13', overlaps: true }
  const handler = handlerOf(produce, options, async () => {
    await new Promise<void>((resolve) => begun.push(resolve))
    return { responses: [] }
  })
  const { client, memory, end } = await connected(handler)
  const records = Buffer.alloc(1.5 * mib, 'x')
  const sent = [1, 2, 3, 4].map(() =>
    client.send(produce, 9, produceRequest({ topic: 't', records })),
  )
  await expect.poll(() => memory.usedBytes).toBeGreaterThan(4 * mib)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(begun).toHaveLength(2)
  begun[0]?.()
  await client.receive(produce, 9, sent[0] as number)
  await expect.poll(() => begun.length).toBe(3)
  for (let index = 1; index < sent.length; index++) {
    await expect.poll(() => begun.length).toBeGreaterThan(index)
    begun[index]?.()
    await client.receive(produce, 9, sent[index] as number)
  }
  expect(memory.usedBytes).toBe(0)
  await end()
})

test('a request that is larger than that is begun when it is alone', async () => {
  const handler = handlerOf(produce, { versions: '3-13', overlaps: true }, () => ({
    responses: [],
  }))
  const { client, end } = await connected(handler)
  const records = Buffer.alloc(6 * mib, 'x')
  for (const one of [1, 2].map(() =>
    client.send(produce, 9, produceRequest({ topic: 't', records })),
  )) {
    await client.receive(produce, 9, one)
  }
  await end()
})

test('the memory of an answer is used again once it has been sent, and not before', async () => {
  const given: Buffer[] = []
  const answer = ({ answerMemory }: Call) => {
    const records = answerMemory(mib)
    given.push(records.fill(given.length))
    const partitions = [
      { partitionIndex: 0, errorCode: 0, highWatermark: 9, abortedTransactions: null, records },
    ]
    return { responses: [{ topic: 't', partitions }] }
  }
  const handler = handlerOf(fetch, { versions: '4-12' }, answer)
  const { client, memory, end } = await connected(handler)
  client.socket.pause()
  const asked = Array.from({ length: 12 }, () =>
    client.send(fetch, 12, fetchRequest({ topic: 't' })),
  )
  // What is on its way stays, as long as nobody takes it.
  await expect.poll(() => given.length).toBeGreaterThan(4)
  client.socket.resume()
  for (const [index, one] of asked.entries()) {
    const { responses } = await client.receive(fetch, 12, one)
    const records = responses[0]?.partitions[0]?.records as Buffer
    expect(records.equals(Buffer.alloc(mib, index))).toBe(true)
  }
  await expect.poll(() => memory.frames.keptBytes).toBeGreaterThan(0)
  const next = client.send(fetch, 12, fetchRequest({ topic: 't' }))
  await client.receive(fetch, 12, next)
  const before = new Set(given.slice(0, -1).map(({ buffer }) => buffer))
  expect(before.has(given.at(-1)?.buffer as ArrayBuffer)).toBe(true)
  await end()
})

test('a client that goes leaves nothing behind that is counted, whatever it had begun', async () => {
  const asking = fetchRequest({ topic: 't' })
  const records = Buffer.alloc(mib, 'x')
  const answered = handlerOf(fetch, { versions: '4-12' }, ({ answerMemory }: Call) => {
    const own = { partitionIndex: 0, errorCode: 0, highWatermark: 9, abortedTransactions: null }
    const partitions = [{ ...own, records: answerMemory(4 * mib) }]
    return { responses: [{ topic: 't', partitions }] }
  })
  const never = new Promise<never>(() => undefined)
  const parked = handlerOf(produce, { versions: '3-13', overlaps: true }, () => never)

  const deaf = await connected(answered)
  deaf.client.socket.pause()
  for (let count = 0; count < 8; count++) deaf.client.send(fetch, 12, asking)
  await expect.poll(() => deaf.slowClients.unreadBytes).toBeGreaterThan(mib)

  const busy = await connected(parked)
  for (let count = 0; count < 6; count++) {
    busy.client.send(produce, 9, produceRequest({ topic: 't', records }))
  }
  await expect.poll(() => busy.memory.usedBytes).toBeGreaterThan(5 * mib)

  const halfway = await connected(parked)
  const part = Buffer.alloc(300_000)
  part.writeInt32BE(600_000, 0)
  halfway.client.socket.write(part)
  await expect.poll(() => halfway.slowClients.partialBytes).toBeGreaterThan(200_000)

  for (const { client, memory, slowClients, end } of [deaf, busy, halfway]) {
    client.socket.destroy()
    const counted = () => [memory.usedBytes, slowClients.partialBytes, slowClients.unreadBytes]
    await expect.poll(counted).toEqual([0, 0, 0])
    await end()
  }
})

test('what a client sent before it ended is begun, when there is room for it', async () => {
  const begun: (() => void)[] = []
  const options = { versions: '3-13', overlaps: true, outlivesClient: true }
  const handler = handlerOf(produce, options, async () => {
    await new Promise<void>((resolve) => begun.push(resolve))
    return null
  })
  const { client, memory, end } = await connected(handler)
  const records = Buffer.alloc(mib, 'x')
  for (let count = 0; count < 6; count++) {
    client.send(produce, 9, produceRequest({ topic: 't', records, acks: 0 }))
  }
  client.socket.end()
  for (let index = 0; index < 6; index++) {
    await expect.poll(() => begun.length).toBeGreaterThan(index)
    begun[index]?.()
  }
  await expect.poll(() => memory.usedBytes).toBe(0)
  await end()
})

test('what fails after its client has ended leaves nothing behind either', async () => {
  const options = { versions: '3-13', overlaps: true, outlivesClient: true }
  let failed = 0
  const failing = handlerOf(produce, options, () => {
    failed++
    throw new Error('it fails')
  })
  const never = new Promise<never>(() => undefined)
  const parked = handlerOf(fetch, { versions: '4-12' }, () => never)
  const { client, memory, end } = await connected(parked, failing)
  client.send(fetch, 12, fetchRequest({ topic: 't' }))
  const records = Buffer.alloc(mib, 'x')
  for (let count = 0; count < 3; count++) {
    client.send(produce, 9, produceRequest({ topic: 't', records, acks: 0 }))
  }
  client.socket.end()
  await expect.poll(() => failed).toBe(3)
  await expect.poll(() => memory.usedBytes).toBe(0)
  await end()
})

test('what its client ended after keeps its order, and goes past what has nobody to answer', async () => {
  const options = { versions: '3-13', overlaps: true, outlivesClient: true }
  const steps: string[] = []
  let count = 0
  const turning = handlerOf(produce, options, async ({ turns }) => {
    const name = String(count++)
    for (let step = 0; step < 1000; step++) {
      const pause = turns.next()
      if (pause !== undefined) await pause
      steps.push(name)
    }
    return null
  })
  const unanswered = handlerOf(
    fetch,
    { versions: '4-12' },
    () => new Promise<never>(() => undefined),
  )
  const { client, memory, end } = await connected(turning, unanswered)
  const records = Buffer.alloc(10, 'x')
  const sending = () => client.send(produce, 9, produceRequest({ topic: 't', records, acks: 0 }))
  sending()
  sending()
  client.send(fetch, 12, fetchRequest({ topic: 't' }))
  sending()
  client.socket.end()
  await expect.poll(() => steps.length).toBe(3000)
  expect(steps).toEqual(['0', '1', '2'].flatMap((name) => new Array<string>(1000).fill(name)))
  await expect.poll(() => memory.usedBytes).toBe(0)
  await end()
})
