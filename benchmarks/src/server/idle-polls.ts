import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { apiNamed, encodeRequest } from '@varve/server'
import type { BrokerUse } from './broker-use.ts'

/** So many connections are opened at a time: a broker's backlog is short. */
const opening = 100
/** Longer than is looked at, so that what is seen is waiting. */
const maxWaitMs = 60_000

/** The part of a core that a broker uses while so many consumers wait for records. */
export async function idlePolls(
  { port, topic, use }: { readonly port: number; readonly topic: string; readonly use: BrokerUse },
  connections: number,
  seconds: number,
): Promise<number> {
  const sockets: Socket[] = []
  try {
    while (sockets.length < connections) {
      const count = Math.min(opening, connections - sockets.length)
      const opened = Array.from({ length: count }, () => waitingConsumer(port, topic))
      sockets.push(...(await Promise.all(opened)))
    }
    await pause(1000)
    const [before, beforeMs] = [use.cpuSeconds, performance.now()]
    await pause(seconds * 1000)
    return (use.cpuSeconds - before) / ((performance.now() - beforeMs) / 1000)
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

async function waitingConsumer(port: number, topic: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  const origin = { correlationId: 1, clientId: 'idle' }
  // It makes the topic, and a client that has been answered is not taken for one that never asks.
  const asked = { topics: [{ name: topic }], allowAutoTopicCreation: true }
  for (const piece of encodeRequest(apiNamed('Metadata'), 4, origin, asked)) socket.write(piece)
  await once(socket, 'data')
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 2 ** 20 }]
  const request = { maxWaitMs, minBytes: 1, maxBytes: 2 ** 20, topics: [{ topic, partitions }] }
  for (const piece of encodeRequest(apiNamed('Fetch'), 11, origin, request)) socket.write(piece)
  return socket
}
