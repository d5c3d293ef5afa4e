import { resolve } from 'node:path'
import { refusal, unauthorized } from '../administration/refusals.ts'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { RequestRefusedError } from '../base/server-errors.ts'
import { alterReplicaLogDirs } from '../protocol/apis/alter-replica-log-dirs.ts'
import { errorCodes } from '../protocol/error-codes.ts'

/** AlterReplicaLogDirs: there is one directory, where everything is already. */
export function alterReplicaLogDirsHandler(server: ServerContext): ApiHandler {
  return handlerOf(alterReplicaLogDirs, { versions: '0-2' }, async (call, request) => {
    const isAllowed = call.may('alter', 'cluster', clusterResource)
    const check = (path: string, topic: string, partition: number): void => {
      if (!isAllowed) throw unauthorized('CLUSTER_AUTHORIZATION_FAILED')
      const { topics } = server.parts
      if (resolve(path) !== resolve(topics.directory.path)) {
        throw new RequestRefusedError('LOG_DIR_NOT_FOUND', 'there is no such data directory')
      }
      topics.topic(topic).partition(partition)
    }
    const byDirectory = await call.turns.map(request.dirs, ({ path, topics }) =>
      call.turns.map(topics, async ({ name: topicName, partitions }) => ({
        topicName,
        partitions: await call.turns.map(partitions, (partitionIndex) => {
          try {
            check(path, topicName, partitionIndex)
            return { partitionIndex, errorCode: errorCodes.NONE }
          } catch (error) {
            return { partitionIndex, errorCode: refusal(error).errorCode }
          }
        }),
      })),
    )
    return { results: byDirectory.flat() }
  })
}
