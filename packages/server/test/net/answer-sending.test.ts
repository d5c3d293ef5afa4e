import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { type ApiHandler, handlerOf } from '../../src/base/api-handler.ts'
import { AnswerSending } from '../../src/net/answer-sending.ts'
import { FramePool } from '../../src/net/frame-pool.ts'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import type { FramePiece, UnreadBytes } from '../../src/protocol/unread-bytes.ts'
import { fetchRequest } from '../produced-batch.ts'
import { connected } from './connected.ts'

const mib = 2 ** 20

/** Bytes of which each is told by its place, and what became of them. */
class CountedBytes implements UnreadBytes {
  readonly length: number
  readonly reads: number[] = []
  isClosed = false
  readonly #takesTime: boolean
  readonly #endsAt: number

  constructor(length: number, takesTime = false, endsAt: number = length) {
    this.length = length
    this.#takesTime = takesTime
    this.#endsAt = endsAt
  }

  read(target: Uint8Array, from: number): Promise<void> | undefined {
    if (from + target.length > this.#endsAt) throw new Error('the file ends before the data')
    this.reads.push(target.length)
    const fill = (): void => {
      for (let at = 0; at < target.length; at++) target[at] = byteAt(from + at)
    }
    if (this.#takesTime) return new Promise((resolve) => setImmediate(resolve)).then(fill)
    fill()
    return undefined
  }

  close(): void {
    this.isClosed = true
  }

  get readBytes(): number {
    return this.reads.reduce((sum, bytes) => sum + bytes, 0)
  }
}

function byteAt(place: number): number {
  return (place ^ (place >>> 8) ^ (place >>> 16)) & 0xff
}

function expected(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, place) => byteAt(place)))
}

/** Answers each request with the next of these, a partition each. */
function answering(...answers: readonly (readonly (readonly FramePiece[])[])[]): ApiHandler {
  const left = [...answers]
  return handlerOf(fetch, { versions: '4-12', overlaps: true }, () => {
    const partitions = (left.shift() ?? []).map((records, partitionIndex) => {
      const own = { errorCode: 0, highWatermark: 9, abortedTransactions: null }
      return { partitionIndex, ...own, records }
    })
    return { responses: [{ topic: 't', partitions }] }
  })
}

const asking = fetchRequest({ topic: 't' })

test.each([false, true])('what is read while it is sent arrives whole, in order', async (later) => {
  const sizes = [3, 70_000, mib, 2.5 * mib, 100]
  const small = Buffer.from('small')
  const large = Buffer.alloc(300_000, 'l')
  const unread = sizes.map((size) => new CountedBytes(size, later))
  const first = unread.flatMap((bytes) => [[bytes], [small, bytes, large]])
  // Those that are read twice are asked for from the start.
  const { client, memory, end } = await connected(
    answering(first, [[small]], [[unread[3] as never]]),
  )
  const asked = [1, 2, 3].map(() => client.send(fetch, 12, asking))
  const [one, two, three] = await Promise.all(
    asked.map((id) => client.receive(fetch, 12, id as number)),
  )
  const recordsOf = (answer: typeof one) =>
    answer?.responses[0]?.partitions.map(({ records }) => Buffer.from(records as Buffer)) ?? []
  const wanted = sizes.flatMap((size) => {
    const bytes = expected(size)
    return [bytes, Buffer.concat([small, bytes, large])]
  })
  const found = recordsOf(one)
  expect(found.map((records, index) => records.equals(wanted[index] as Buffer))).toEqual(
    wanted.map(() => true),
  )
  expect(recordsOf(two)).toEqual([small])
  expect(recordsOf(three)[0]?.equals(expected(2.5 * mib))).toBe(true)
  await expect.poll(() => memory.usedBytes).toBe(0)
  await end()
})

test('of what a client does not read little is read, and nothing more is begun', async () => {
  const unread = Array.from({ length: 64 }, () => new CountedBytes(mib))
  const answers = unread.map((bytes) => [[bytes]])
  const { client, slowClients, end } = await connected(answering(answers.flat(), [[]]))
  client.socket.pause()
  const [first, second] = [client.send(fetch, 12, asking), client.send(fetch, 12, asking)]
  await expect.poll(() => slowClients.unreadBytes).toBeGreaterThan(0)
  await new Promise((resolve) => setTimeout(resolve, 50))
  // What the system takes, and one part.
  expect(slowClients.unreadBytes).toBeLessThanOrEqual(mib)
  expect(unread.at(-1)?.reads).toEqual([])
  client.socket.resume()
  const { responses } = await client.receive(fetch, 12, first)
  expect(responses[0]?.partitions).toHaveLength(64)
  await client.receive(fetch, 12, second)
  expect(unread.map(({ readBytes }) => readBytes)).toEqual(unread.map(({ length }) => length))
  await expect.poll(() => slowClients.unreadBytes).toBe(0)
  await end()
})

test.each([0, mib])('bytes that are gone end the connection, after %i of them', async (endsAt) => {
  const bytes = new CountedBytes(3 * mib, false, endsAt)
  const { client, memory, end } = await connected(answering([[bytes]]))
  const closed = once(client.socket, 'close')
  client.socket.on('error', () => undefined)
  const answer = client.receive(fetch, 12, client.send(fetch, 12, asking))
  await expect(answer).rejects.toThrow()
  await closed
  await expect.poll(() => [bytes.isClosed, memory.usedBytes]).toEqual([true, 0])
  expect(client.socket.bytesRead).toBeLessThan(3 * mib)
  await end()
})

test('a client that goes in the middle leaves nothing open, and nothing that counts', async () => {
  for (const takesTime of [false, true]) {
    const unread = Array.from({ length: 64 }, () => new CountedBytes(mib, takesTime))
    const { client, memory, slowClients, end } = await connected(answering([unread]))
    client.socket.pause()
    client.send(fetch, 12, asking)
    await expect.poll(() => slowClients.unreadBytes).toBeGreaterThan(0)
    client.socket.destroy()
    const counted = () => [memory.usedBytes, slowClients.unreadBytes]
    await expect.poll(counted).toEqual([0, 0])
    await expect.poll(() => unread.every(({ isClosed }) => isClosed)).toBe(true)
    expect(unread.at(-1)?.reads).toEqual([])
    await end()
  }
})

test('a connection that ends has sent its answer to the end before', async () => {
  const unread = Array.from({ length: 32 }, () => new CountedBytes(mib))
  const { client, connection, slowClients, end } = await connected(answering([unread]))
  client.socket.pause()
  const sent = client.send(fetch, 12, asking)
  await expect.poll(() => slowClients.unreadBytes).toBeGreaterThan(0)
  expect(connection.openRequests).toBe(1)
  connection.end()
  client.socket.resume()
  const { responses } = await client.receive(fetch, 12, sent)
  expect(responses[0]?.partitions[0]?.records).toHaveLength(32 * mib)
  await end()
})

test('what has to wait for a little to be taken, of which no socket tells, is sent then', async () => {
  const taken: Buffer[] = []
  let take: () => void = () => undefined
  const socket = new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      taken.push(Buffer.from(bytes))
      if (taken.length === 1) take = done
      else done()
    },
  })
  const goneOn: boolean[] = []
  const sending: AnswerSending = new AnswerSending(socket as Socket, {
    frames: new FramePool(),
    goOn: () => {
      sending.goOn()
      goneOn.push(sending.isUnderWay)
    },
    failed: (error) => {
      throw error
    },
  })
  sending.begin([Buffer.from('little')])
  sending.begin([Buffer.from('head'), new CountedBytes(100_000)])
  sending.goOn()
  sending.goOn()
  expect(taken).toHaveLength(1)
  take()
  await expect.poll(() => goneOn).toEqual([false])
  const wanted = Buffer.concat([Buffer.from('littlehead'), expected(100_000)])
  expect(Buffer.concat(taken).equals(wanted)).toBe(true)
})
