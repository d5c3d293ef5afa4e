import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '@varve/log/testing'
import { readBatches } from '@varve/record'
import { expect, test } from 'vitest'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import { findCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { produce } from '../../src/protocol/apis/produce.ts'
import { type Server, startServer } from '../../src/server.ts'
import { fetchRequest, producedBatch, produceRequest, valued } from '../produced-batch.ts'
import { WireClient } from '../wire-client.ts'

/** Replays a run: VARVE_SEED=… as printed by the failure. */
const seed = Number(process.env['VARVE_SEED'] ?? Math.floor(performance.timeOrigin) % 2 ** 31)
const roundsMax = Number(process.env['VARVE_MIXED_ROUNDS'] ?? 12)
const clients = 8

/** What a record says can be told from its beginning. */
function textOf(topic: string, sequence: number, length: number): string {
  const head = `${topic}:${sequence}:${length}:`
  const filling = String.fromCharCode(97 + ((sequence * 7 + topic.charCodeAt(1)) % 26))
  return head + filling.repeat(length)
}

/** A client with a topic of its own, which knows what every answer must be. */
class CheckingClient {
  readonly #server: Server
  readonly #random: Random
  readonly #topic: string
  /** What was answered or read at an offset. */
  readonly #known = new Map<number, number>()
  #sequence = 0
  #end = 0
  checked = 0

  constructor(server: Server, topic: string, random: Random) {
    this.#server = server
    this.#topic = topic
    this.#random = random
  }

  async run(): Promise<void> {
    for (let round = 0; round < roundsMax; round++) await this.#round()
  }

  /** Some requests in a row; then the answers, or the end before them. */
  async #round(): Promise<void> {
    await using client = await WireClient.connect(this.#server.port)
    const checks = Array.from({ length: 1 + this.#random.int(20) }, () => this.#send(client))
    const isBrokenOff = this.#random.int(3) === 0
    if (this.#random.int(2) === 0) {
      client.socket.pause()
      await new Promise((resolve) => setTimeout(resolve, this.#random.int(30)))
      client.socket.resume()
    }
    const answered = isBrokenOff ? this.#random.int(checks.length) : checks.length
    for (const check of checks.slice(0, answered)) {
      await check()
      this.checked++
    }
    if (isBrokenOff && this.#random.int(2) === 0) client.socket.write(Buffer.alloc(9, 1))
  }

  #send(client: WireClient): () => Promise<void> {
    switch (this.#random.int(5)) {
      case 0:
      case 1:
        return this.#produce(client)
      case 2:
      case 3:
        return this.#fetch(client)
      default:
        return this.#random.int(2) === 0 ? this.#find(client) : this.#describe(client)
    }
  }

  #produce(client: WireClient): () => Promise<void> {
    const sequence = this.#sequence++
    const length = this.#random.int(this.#random.int(2) === 0 ? 200 : 200_000)
    const { bytes: records } = producedBatch(valued(textOf(this.#topic, sequence, length)))
    const acks = this.#random.int(2) === 0 ? -1 : 1
    const id = client.send(produce, 9, produceRequest({ topic: this.#topic, records, acks }))
    return async () => {
      const { responses } = await client.receive(produce, 9, id)
      expect(responses[0]?.name).toBe(this.#topic)
      const { baseOffset, errorCode } = responses[0]?.partitionResponses[0] ?? {}
      expect(errorCode).toBe(0)
      this.#note(baseOffset ?? -1, sequence)
    }
  }

  #fetch(client: WireClient): () => Promise<void> {
    const fetchOffset = this.#random.int(this.#end + 1)
    const partitionMaxBytes = this.#random.int(2 ** 20)
    const wanted = fetchRequest({ topic: this.#topic, fetchOffset, partitionMaxBytes })
    const id = client.send(fetch, 12, wanted)
    return async () => {
      const { responses } = await client.receive(fetch, 12, id)
      expect(responses[0]?.topic).toBe(this.#topic)
      const { records, errorCode } = responses[0]?.partitions[0] ?? {}
      expect(errorCode).toBe(0)
      this.#check(records ?? Buffer.alloc(0), fetchOffset)
    }
  }

  /** The batches that came whole; what follows them is the beginning of another. */
  #check(records: Buffer, from: number): void {
    let next = from
    for (const batch of readBatches(records)) {
      batch.validate()
      for (const { offset, value } of batch.records()) {
        const text = value?.toString() ?? ''
        const [, sequence = '', length = ''] = text.split(':', 3)
        const isRight = text === textOf(this.#topic, Number(sequence), Number(length))
        expect(isRight, `${this.#topic} at ${offset}: ${text.slice(0, 40)}`).toBe(true)
        expect(offset).toBe(next++)
        this.#note(offset, Number(sequence))
      }
    }
  }

  #note(offset: number, sequence: number): void {
    expect(this.#known.get(offset) ?? sequence).toBe(sequence)
    this.#known.set(offset, sequence)
    this.#end = Math.max(this.#end, offset + 1)
  }

  #find(client: WireClient): () => Promise<void> {
    const keys = Array.from({ length: this.#random.int(200) }, (_, index) => {
      return `${this.#topic} ${index} ${this.#random.int(1e9)}`
    })
    const id = client.send(findCoordinator, 4, { keyType: 0, coordinatorKeys: keys })
    return async () => {
      const { coordinators } = await client.receive(findCoordinator, 4, id)
      expect(coordinators.map(({ key }) => key)).toEqual(keys)
    }
  }

  #describe(client: WireClient): () => Promise<void> {
    const id = client.send(metadata, 9, { topics: [{ name: this.#topic }] })
    return async () => {
      const { topics } = await client.receive(metadata, 9, id)
      expect(topics.map(({ name }) => name)).toEqual([this.#topic])
    }
  }
}

test('clients that come and go get their own answers, byte by byte', async () => {
  const data = mkdtempSync(join(tmpdir(), 'varve-mixed-'))
  const replay = `replay with VARVE_SEED=${seed}`
  try {
    const server = await startServer({ data, port: 0 })
    try {
      const checking = Array.from({ length: clients }, async (_, index) => {
        const topic = `t${index}`
        await server.varve.createTopic(topic)
        const client = new CheckingClient(server, topic, new Random(seed + index))
        await client.run()
        return client.checked
      })
      const ran = await Promise.allSettled(checking)
      const failed = ran.filter(({ status }) => status === 'rejected')
      expect(failed, replay).toEqual([])
      const checked = ran.reduce(
        (sum, one) => sum + (one.status === 'fulfilled' ? one.value : 0),
        0,
      )
      expect(checked, replay).toBeGreaterThan(clients * roundsMax)
    } finally {
      await server.close()
    }
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}, 60_000)
