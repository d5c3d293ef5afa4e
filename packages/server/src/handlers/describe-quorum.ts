import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { Client } from '../base/client.ts'
import { noTopicId } from '../base/no-topic-id.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { describeQuorum } from '../protocol/apis/describe-quorum.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Topics = RequestOf<typeof describeQuorum>['topics']
type Partition = ResponseOf<typeof describeQuorum>['topics'][number]['partitions'][number]

/** Where a cluster of Kafka keeps its metadata. */
const metadataTopic = '__cluster_metadata'

/**
 * A server does not keep its metadata in a log of Kafka's: this is one in which a single voter was
 * elected, once, and that has said so.
 */
const [leaderEpoch, endOffset] = [1, 1]

/** DescribeQuorum: the one node votes for itself, and is never behind. */
export function describeQuorumHandler(server: ServerContext): ApiHandler {
  return handlerOf(describeQuorum, { versions: '0-2' }, async (call, { topics }) => {
    if (!call.may('describe', 'cluster', clusterResource)) {
      return { errorCode: errorCodes.CLUSTER_AUTHORIZATION_FAILED, topics: [], nodes: [] }
    }
    const isWhole = asksForMetadataAlone(topics)
    return {
      errorCode: errorCodes.NONE,
      topics: await call.turns.map(topics, async ({ topicName, partitions }) => ({
        topicName,
        partitions: await call.turns.map(partitions, ({ partitionIndex }) =>
          isWhole ? quorumOf(server, partitionIndex) : unknown(partitionIndex),
        ),
      })),
      nodes: isWhole ? [nodeOf(server, call.client)] : [],
    }
  })
}

/** Kafka answers nothing else, not even in part. */
function asksForMetadataAlone(topics: Topics): boolean {
  const [topic] = topics
  const isOne = topics.length === 1 && topic?.partitions.length === 1
  return isOne && topic.topicName === metadataTopic && topic.partitions[0]?.partitionIndex === 0
}

function quorumOf({ options, clock }: ServerContext, partitionIndex: number): Partition {
  const nowMs = clock.now()
  const voter = {
    ...{ replicaId: options.nodeId, replicaDirectoryId: noTopicId, logEndOffset: endOffset },
    // As a leader says it of itself.
    ...{ lastFetchTimestamp: nowMs, lastCaughtUpTimestamp: nowMs },
  }
  return {
    ...{ partitionIndex, errorCode: errorCodes.NONE, errorMessage: null },
    ...{ leaderId: options.nodeId, leaderEpoch, highWatermark: endOffset },
    ...{ currentVoters: [voter], observers: [] },
  }
}

function unknown(partitionIndex: number): Partition {
  return {
    ...{ partitionIndex, errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: null },
    ...{ leaderId: 0, leaderEpoch: 0, highWatermark: 0, currentVoters: [], observers: [] },
  }
}

/** Where the one who asks has reached it: there is no other way to it for a controller. */
function nodeOf({ options }: ServerContext, { listenerName, advertised }: Client) {
  return { nodeId: options.nodeId, listeners: [{ name: listenerName, ...advertised }] }
}
