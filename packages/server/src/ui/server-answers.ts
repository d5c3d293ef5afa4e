import { healthOf } from '../http/health.ts'
import type { ConnectionAnswer, HealthAnswer, ListenerAnswer, ServerAnswer } from './answers.ts'
import type { ShownListener, UiContext } from './ui-context.ts'

const connectionsMax = 500
const reasonsMax = 50

/** How the server stands, as `/health` tells it. */
export function healthAnswer(context: UiContext): HealthAnswer {
  const { status, reasons } = healthOf(context)
  return { status, reasons: reasons.slice(0, reasonsMax) }
}

/** The process, its listeners and who is connected. */
export function serverAnswer(context: UiContext, startedMs: number): ServerAnswer {
  const { parts, clock } = context
  const { directory, all } = parts.topics
  const listeners = context.listeners()
  const connections = listeners.flatMap(connectionsOf)
  let sizeBytes = 0
  for (const log of directory.logs.values()) sizeBytes += log.sizeBytes
  return {
    ...{ nowMs: clock.now(), uptimeMs: clock.monotonic() - startedMs },
    ...{ directory: directory.path, node: process.version },
    residentBytes: process.memoryUsage.rss(),
    topics: all.length,
    partitions: all.reduce((sum, { partitions }) => sum + partitions.length, 0),
    sizeBytes,
    health: healthAnswer(context),
    listeners: listeners.map(listenerAnswer),
    connections: connections.slice(0, connectionsMax),
    connectionsLeftOut: Math.max(0, connections.length - connectionsMax),
  }
}

function listenerAnswer(listener: ShownListener): ListenerAnswer {
  const { name, host, port, advertised } = listener
  return {
    ...{ name, address: addressOf(host, port) },
    advertised: addressOf(advertised.host, advertised.port),
    connections: [...listener.connections].length,
  }
}

function connectionsOf(listener: ShownListener): readonly ConnectionAnswer[] {
  return Array.from(listener.connections, (connection) => {
    const { connectionId: id, host, principal, software, openRequests } = connection
    const client = [software.name, software.version].filter((part) => part !== '').join(' ')
    return { id, listener: listener.name, host, principal, software: client, openRequests }
  })
}

function addressOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
