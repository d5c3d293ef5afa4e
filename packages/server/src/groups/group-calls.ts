import type { GroupCoordinator } from '@varve/broker/serving'
import type { Call } from '../base/api-handler.ts'
import { authorizedOperations, operationsNotAsked } from '../base/authorized-operations.ts'
import type { Client } from '../base/client.ts'
import { toldError } from '../base/kafka-error.ts'
import type { ServerContext } from '../base/server-context.ts'
import { errorCodes } from '../protocol/error-codes.ts'

/** What the log of `__consumer_offsets` answers, and what clients of groups know in its place. */
const codesOfStorage: ReadonlyMap<number, number> = new Map([
  [errorCodes.UNKNOWN_TOPIC_OR_PARTITION, errorCodes.COORDINATOR_NOT_AVAILABLE],
  [errorCodes.NOT_ENOUGH_REPLICAS, errorCodes.COORDINATOR_NOT_AVAILABLE],
  [errorCodes.NOT_LEADER_OR_FOLLOWER, errorCodes.NOT_COORDINATOR],
  [errorCodes.KAFKA_STORAGE_ERROR, errorCodes.NOT_COORDINATOR],
  [errorCodes.MESSAGE_TOO_LARGE, errorCodes.UNKNOWN_SERVER_ERROR],
])

/**
 * The coordinator of all groups, at once when it is loaded already: then what is asked of it is
 * done in the turn in which the request has come, and so in the order of requests.
 */
export function coordinatorOf(server: ServerContext): GroupCoordinator | Promise<GroupCoordinator> {
  const { groups } = server.parts
  return groups.loaded ?? groups.coordinator()
}

/** As `coordinatorOf`; null where there has never been a group, so that asking makes no topic. */
export function usedCoordinatorOf(
  server: ServerContext,
): GroupCoordinator | Promise<GroupCoordinator> | null {
  return server.parts.groups.isUsed ? coordinatorOf(server) : null
}

/** What a client of a group is told of an error. What nobody foresaw is logged. */
export function groupErrorCode(server: ServerContext, group: string, error: unknown): number {
  const { errorCode } = toldError(error)
  const told = codesOfStorage.get(errorCode) ?? errorCode
  if (told === errorCodes.UNKNOWN_SERVER_ERROR) {
    server.logger.error({ err: error, group }, 'a request of a group failed')
  }
  return told
}

/** What is told of each group that a request names, once and in turns. */
export async function describeEach<Answer extends { readonly errorCode: number }>(
  call: Call,
  groups: readonly string[],
  asksOperations: boolean,
  describe: (group: string) => Promise<Answer>,
): Promise<(Answer & { authorizedOperations: number })[]> {
  const answers: (Answer & { authorizedOperations: number })[] = []
  for (const group of new Set(groups)) {
    const pause = call.turns.next()
    if (pause !== undefined) await pause
    const described = await describe(group)
    const isTold = asksOperations && described.errorCode === errorCodes.NONE
    const operations = isTold ? authorizedOperations(call, 'group', group) : operationsNotAsked
    answers.push({ ...described, authorizedOperations: operations })
  }
  return answers
}

/** Kafka's answer to a group without a name, which may not have members. */
export function groupNameError(group: string): number {
  return group === '' ? errorCodes.INVALID_GROUP_ID : errorCodes.NONE
}

/** A client's address as Java prints it, which is how groups note it. */
export function clientHostOf({ host }: Client): string {
  return `/${host.replace(/^::ffff:(?=[\d.]+$)/, '')}`
}
