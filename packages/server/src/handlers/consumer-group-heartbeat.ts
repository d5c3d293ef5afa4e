import { randomBytes } from 'node:crypto'
import { type ConsumerGroupHeartbeat, serverAssignors } from '@varve/broker/serving'
import type { Administration } from '../administration/administration.ts'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import { toldError } from '../base/kafka-error.ts'
import type { ServerContext } from '../base/server-context.ts'
import { clientHostOf, coordinatorOf, groupErrorCode } from '../groups/group-calls.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { consumerGroupHeartbeat } from '../protocol/apis/consumer-group-heartbeat.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Request = RequestOf<typeof consumerGroupHeartbeat>
type Response = ResponseOf<typeof consumerGroupHeartbeat>

const joining = 0
const leaving = -1
const staticLeaving = -2
/** The record of a member has to fit into a batch of a MiB. */
const namesLengthMax = 2 ** 20
/** From this version on clients make their ids themselves. */
const ownIdsSince = 1

/** ConsumerGroupHeartbeat (KIP-848): all that a member says, and is told. */
export function consumerGroupHeartbeatHandler(
  server: ServerContext,
  { groupConfigs }: Administration,
): ApiHandler {
  const options = { versions: '0-1', overlaps: true }
  return handlerOf(consumerGroupHeartbeat, options, async (call, request) => {
    const { groupId, subscribedTopicNames } = request
    if (!call.may('read', 'group', groupId)) {
      return refused(errorCodes.GROUP_AUTHORIZATION_FAILED, null)
    }
    const names = subscribedTopicNames ?? []
    if (names.reduce((sum, { length }) => sum + length, 0) > namesLengthMax) {
      const message = 'SubscribedTopicNames are more than can be noted of a member.'
      return refused(errorCodes.INVALID_REQUEST, message)
    }
    const isVisible = (topic: string): boolean => call.may('describe', 'topic', topic)
    let areVisible = true
    const looking = call.turns.each(names, (name) => {
      areVisible &&= isVisible(name)
    })
    if (looking !== undefined) await looking
    if (!areVisible) return refused(errorCodes.TOPIC_AUTHORIZATION_FAILED, null)
    const invalid = problemOf(call, request)
    if (invalid !== null) return refused(errorCodes.INVALID_REQUEST, invalid)
    const { serverAssignor } = request
    if (serverAssignor !== null && !serverAssignors.some((each) => each === serverAssignor)) {
      const known = serverAssignors.join(', ')
      const message =
        `ServerAssignor ${serverAssignor} is not supported. ` + `Supported assignors: ${known}.`
      return refused(errorCodes.UNSUPPORTED_ASSIGNOR, message)
    }
    try {
      const loaded = coordinatorOf(server)
      const { consumers } = loaded instanceof Promise ? await loaded : loaded
      const settings = groupConfigs.settingsOf(groupId)
      const heartbeat = heartbeatOf(call, request)
      const answer = await consumers.heartbeat(heartbeat, { settings, isVisible })
      const { assignment, ...told } = answer
      const isTold = assignment !== null
      return {
        errorCode: errorCodes.NONE,
        ...told,
        assignment: isTold ? { topicPartitions: assignment } : null,
      }
    } catch (error) {
      const errorCode = groupErrorCode(server, groupId, error)
      return refused(errorCode, toldError(error).errorMessage)
    }
  })
}

/** What is wrong with a request in itself, in Kafka's order and words; null where nothing is. */
function problemOf({ version }: Call, request: Request): string | null {
  const { memberId, memberEpoch, groupId, instanceId, rackId } = request
  const needsId = version >= ownIdsSince || memberEpoch > joining || memberEpoch === leaving
  if (needsId && memberId.trim() === '') return "MemberId can't be empty."
  if (groupId.trim() === '') return "GroupId can't be empty."
  if (instanceId?.trim() === '') return "InstanceId can't be empty."
  if (rackId?.trim() === '') return "RackId can't be empty."
  if (memberEpoch === joining) {
    const { rebalanceTimeoutMs, topicPartitions } = request
    if (rebalanceTimeoutMs === -1) return 'RebalanceTimeoutMs must be provided in first request.'
    if (topicPartitions?.length !== 0) return 'TopicPartitions must be empty when (re-)joining.'
    const { subscribedTopicNames, subscribedTopicRegex } = request
    if (subscribedTopicNames === null && subscribedTopicRegex === null) {
      return (
        'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null ' +
        'when (re-)joining.'
      )
    }
  }
  if (memberEpoch === staticLeaving && instanceId === null) return "InstanceId can't be null."
  return memberEpoch < staticLeaving ? 'MemberEpoch is invalid.' : null
}

function heartbeatOf(call: Call, request: Request): ConsumerGroupHeartbeat {
  const { groupId, memberId, memberEpoch, instanceId, rackId, rebalanceTimeoutMs } = request
  return {
    ...{ group: groupId, memberEpoch, instanceId, rackId },
    memberId: memberId === '' ? kafkaUuid() : memberId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? null : rebalanceTimeoutMs,
    topicNames: request.subscribedTopicNames,
    topicRegex: request.subscribedTopicRegex,
    serverAssignor: request.serverAssignor,
    owned: request.topicPartitions,
    clientId: call.clientId ?? '',
    clientHost: clientHostOf(call.client),
  }
}

/** As Kafka makes ids of members: a random UUID, in base64url. */
function kafkaUuid(): string {
  return randomBytes(16).toString('base64url')
}

function refused(errorCode: number, errorMessage: string | null): Response {
  return {
    ...{ errorCode, errorMessage },
    ...{ memberId: null, memberEpoch: 0, heartbeatIntervalMs: 0, assignment: null },
  }
}
