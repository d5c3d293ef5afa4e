import type { Operation, ResourceType } from '../base/access.ts'
import type { Call } from '../base/api-handler.ts'
import type { Client } from '../base/client.ts'
import { Turns } from '../base/turns.ts'
import type { IncomingRequest } from '../protocol/requests.ts'
import type { ConnectionContext } from './connection-context.ts'

/**
 * What a handler is told of a request, and may ask for it.
 *
 * @param giveWay see Turns
 */
export function callOf(
  client: Client,
  request: IncomingRequest,
  context: ConnectionContext,
  giveWay: () => Promise<void>,
): Call {
  const { header, frame } = request
  const { throttling, memory, server } = context
  const { authorizer } = server
  const { clientId } = header
  return {
    version: header.apiVersion,
    correlationId: header.correlationId,
    clientId,
    client,
    turns: new Turns(server.clock, giveWay),
    answerMemory: (sizeBytes: number) => memory.frames.take(sizeBytes),
    throttle: throttling.isActive ? throttling.throttleOf(client, clientId, frame.length) : null,
    may: (operation: Operation, type: ResourceType, name: string) =>
      authorizer.allows(client, operation, type, name),
    mayAny: (operation: Operation, type: ResourceType) =>
      authorizer.allowsAny(client, operation, type),
  }
}
