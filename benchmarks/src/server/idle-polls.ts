import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { apiNamed, encodeRequest } from '@varve/server'
import type { BrokerUse } from './broker-use.ts'

/** So many connections are opened at a time: Kafka has a backlog of 50. */
const opening = 40
const settleMs = 1_000

export interface IdlePolls {
  readonly port: number
  readonly topic: string
  readonly use: BrokerUse
  readonly consumers: number
  readonly maxWaitMs: number
  readonly seconds: number
}

export interface SeenIdle {
  /** The part of a core that the broker used. */
  readonly cores: number
  readonly fetchesPerSecond: number
}

/** What a broker uses while so many consumers wait for records that do not come. */
export async function idlePolls(asked: IdlePolls): Promise<SeenIdle> {
  const { port, topic, use, consumers, maxWaitMs, seconds } = asked
  const waiting = new WaitingConsumers(port, topic, maxWaitMs)
  try {
    await waiting.open(consumers)
    await pause(settleMs)
    const [before, beforeMs, beforeAnswers] = [use.cpuSeconds, performance.now(), waiting.answers]
    await pause(seconds * 1000)
    const took = (performance.now() - beforeMs) / 1000
    const cores = (use.cpuSeconds - before) / took
    return { cores, fetchesPerSecond: (waiting.answers - beforeAnswers) / took }
  } finally {
    waiting.close()
  }
}

/** Each asks again when it is answered. */
class WaitingConsumers {
  answers = 0
  readonly #port: number
  readonly #hello: Buffer
  readonly #fetch: Buffer
  readonly #sockets: Socket[] = []

  constructor(port: number, topic: string, maxWaitMs: number) {
    this.#port = port
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 2 ** 20 }]
    const request = { maxWaitMs, minBytes: 1, maxBytes: 2 ** 20, topics: [{ topic, partitions }] }
    const origin = { correlationId: 1, clientId: 'idle' }
    const asked = { topics: [], allowAutoTopicCreation: false }
    this.#hello = Buffer.concat(encodeRequest(apiNamed('Metadata'), 4, origin, asked))
    this.#fetch = Buffer.concat(encodeRequest(apiNamed('Fetch'), 11, origin, request))
  }

  async open(count: number): Promise<void> {
    while (this.#sockets.length < count) {
      const now = Math.min(opening, count - this.#sockets.length)
      await Promise.all(Array.from({ length: now }, () => this.#openOne()))
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** A client that was answered once is not taken for one that never asks for anything. */
  async #openOne(): Promise<void> {
    let isKnown = false
    const socket = connect({
      host: '127.0.0.1',
      port: this.#port,
      // An answer without records is short, and comes in one piece.
      onread: {
        buffer: Buffer.allocUnsafeSlow(1024),
        callback: () => {
          if (isKnown) this.answers++
          isKnown = true
          socket.write(this.#fetch)
          return true
        },
      },
    })
    this.#sockets.push(socket)
    await once(socket, 'connect')
    socket.write(this.#hello)
  }
}
