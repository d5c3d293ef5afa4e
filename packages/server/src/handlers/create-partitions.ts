import { done, duplicatesIn, refusal, unauthorized } from '../administration/refusals.ts'
import { checkPartitionsAsked, checkReplicas } from '../administration/replica-assignment.ts'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { RequestRefusedError } from '../base/server-errors.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { createPartitions } from '../protocol/apis/create-partitions.ts'

type Request = RequestOf<typeof createPartitions>
type Wanted = Request['topics'][number]
type Result = ResponseOf<typeof createPartitions>['results'][number]

/** CreatePartitions: each topic by itself. */
export function createPartitionsHandler(server: ServerContext): ApiHandler {
  return handlerOf(createPartitions, { versions: '0-3' }, async (call, request) => {
    const duplicates = duplicatesIn(request.topics.map(({ name }) => name))
    const results = [...duplicates].map((name): Result => {
      const error = new RequestRefusedError('INVALID_REQUEST', 'duplicate topic name')
      return { name, ...refusal(error) }
    })
    let added = 0
    for (const topic of request.topics.filter(({ name }) => !duplicates.has(name))) {
      const pause = call.turns.next()
      if (pause !== undefined) await pause
      const { name } = topic
      try {
        const more = check(server, call, topic)
        added += more
        checkPartitionsAsked([added])
        if (!request.validateOnly) call.throttle?.countMutations(more, call.version >= 3)
        if (!request.validateOnly) await server.parts.topics.grow(name, topic.count)
        results.push({ name, ...done })
      } catch (error) {
        results.push({ name, ...refusal(error) })
      }
    }
    return { results }
  })
}

/** How many partitions are to be added. Throws what is told where that cannot be. */
function check(server: ServerContext, call: Call, { name, count, assignments }: Wanted): number {
  if (!call.may('alter', 'topic', name)) throw unauthorized('TOPIC_AUTHORIZATION_FAILED')
  const { length } = server.parts.topics.topic(name).partitions
  if (count <= length) {
    const rule = `topic '${name}' has ${length} partitions: ${count} would not be an increase`
    throw new RequestRefusedError('INVALID_PARTITIONS', rule)
  }
  if (assignments !== null) {
    if (assignments.length !== count - length) {
      const rule = `${count - length} partitions are to be added, assigned are ${assignments.length}`
      throw new RequestRefusedError('INVALID_REPLICA_ASSIGNMENT', rule)
    }
    for (const { brokerIds } of assignments) checkReplicas(brokerIds, server.options.nodeId)
  }
  return count - length
}
