import type { ApiDeclaration } from './api-declaration.ts'
import { addOffsetsToTxn } from './apis/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from './apis/add-partitions-to-txn.ts'
import { alterClientQuotas } from './apis/alter-client-quotas.ts'
import { alterConfigs } from './apis/alter-configs.ts'
import { alterPartitionReassignments } from './apis/alter-partition-reassignments.ts'
import { alterReplicaLogDirs } from './apis/alter-replica-log-dirs.ts'
import { alterUserScramCredentials } from './apis/alter-user-scram-credentials.ts'
import { apiVersions } from './apis/api-versions.ts'
import { consumerGroupDescribe } from './apis/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from './apis/consumer-group-heartbeat.ts'
import { createAcls } from './apis/create-acls.ts'
import { createPartitions } from './apis/create-partitions.ts'
import { createTopics } from './apis/create-topics.ts'
import { deleteAcls } from './apis/delete-acls.ts'
import { deleteGroups } from './apis/delete-groups.ts'
import { deleteRecords } from './apis/delete-records.ts'
import { deleteTopics } from './apis/delete-topics.ts'
import { describeAcls } from './apis/describe-acls.ts'
import { describeClientQuotas } from './apis/describe-client-quotas.ts'
import { describeCluster } from './apis/describe-cluster.ts'
import { describeConfigs } from './apis/describe-configs.ts'
import { describeGroups } from './apis/describe-groups.ts'
import { describeLogDirs } from './apis/describe-log-dirs.ts'
import { describeProducers } from './apis/describe-producers.ts'
import { describeQuorum } from './apis/describe-quorum.ts'
import { describeTopicPartitions } from './apis/describe-topic-partitions.ts'
import { describeTransactions } from './apis/describe-transactions.ts'
import { describeUserScramCredentials } from './apis/describe-user-scram-credentials.ts'
import { electLeaders } from './apis/elect-leaders.ts'
import { endTxn } from './apis/end-txn.ts'
import { fetch } from './apis/fetch.ts'
import { findCoordinator } from './apis/find-coordinator.ts'
import { heartbeat } from './apis/heartbeat.ts'
import { incrementalAlterConfigs } from './apis/incremental-alter-configs.ts'
import { initProducerId } from './apis/init-producer-id.ts'
import { joinGroup } from './apis/join-group.ts'
import { leaveGroup } from './apis/leave-group.ts'
import { listConfigResources } from './apis/list-config-resources.ts'
import { listGroups } from './apis/list-groups.ts'
import { listOffsets } from './apis/list-offsets.ts'
import { listPartitionReassignments } from './apis/list-partition-reassignments.ts'
import { listTransactions } from './apis/list-transactions.ts'
import { metadata } from './apis/metadata.ts'
import { offsetCommit } from './apis/offset-commit.ts'
import { offsetDelete } from './apis/offset-delete.ts'
import { offsetFetch } from './apis/offset-fetch.ts'
import { offsetForLeaderEpoch } from './apis/offset-for-leader-epoch.ts'
import { produce } from './apis/produce.ts'
import { saslAuthenticate } from './apis/sasl-authenticate.ts'
import { saslHandshake } from './apis/sasl-handshake.ts'
import { syncGroup } from './apis/sync-group.ts'
import { txnOffsetCommit } from './apis/txn-offset-commit.ts'
import { writeTxnMarkers } from './apis/write-txn-markers.ts'

/** Any of the declared APIs. */
export type Api =
  | typeof produce
  | typeof fetch
  | typeof listOffsets
  | typeof metadata
  | typeof offsetCommit
  | typeof offsetFetch
  | typeof findCoordinator
  | typeof joinGroup
  | typeof heartbeat
  | typeof leaveGroup
  | typeof syncGroup
  | typeof describeGroups
  | typeof listGroups
  | typeof saslHandshake
  | typeof apiVersions
  | typeof createTopics
  | typeof deleteTopics
  | typeof deleteRecords
  | typeof initProducerId
  | typeof offsetForLeaderEpoch
  | typeof addPartitionsToTxn
  | typeof addOffsetsToTxn
  | typeof endTxn
  | typeof writeTxnMarkers
  | typeof txnOffsetCommit
  | typeof describeAcls
  | typeof createAcls
  | typeof deleteAcls
  | typeof describeConfigs
  | typeof alterConfigs
  | typeof alterReplicaLogDirs
  | typeof describeLogDirs
  | typeof saslAuthenticate
  | typeof createPartitions
  | typeof deleteGroups
  | typeof electLeaders
  | typeof incrementalAlterConfigs
  | typeof alterPartitionReassignments
  | typeof listPartitionReassignments
  | typeof offsetDelete
  | typeof describeClientQuotas
  | typeof alterClientQuotas
  | typeof describeUserScramCredentials
  | typeof alterUserScramCredentials
  | typeof describeQuorum
  | typeof describeCluster
  | typeof describeProducers
  | typeof describeTransactions
  | typeof listTransactions
  | typeof consumerGroupHeartbeat
  | typeof consumerGroupDescribe
  | typeof listConfigResources
  | typeof describeTopicPartitions

/** Kafka's names of them. */
export type ApiName = Api['name']

/** The declaration with this name. */
export type ApiNamed<Name extends ApiName> = Extract<Api, { readonly name: Name }>

/** All that are declared, by rising key. */
export const apis: readonly Api[] = [
  produce,
  fetch,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  saslHandshake,
  apiVersions,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  addPartitionsToTxn,
  addOffsetsToTxn,
  endTxn,
  writeTxnMarkers,
  txnOffsetCommit,
  describeAcls,
  createAcls,
  deleteAcls,
  describeConfigs,
  alterConfigs,
  alterReplicaLogDirs,
  describeLogDirs,
  saslAuthenticate,
  createPartitions,
  deleteGroups,
  electLeaders,
  incrementalAlterConfigs,
  alterPartitionReassignments,
  listPartitionReassignments,
  offsetDelete,
  describeClientQuotas,
  alterClientQuotas,
  describeUserScramCredentials,
  alterUserScramCredentials,
  describeQuorum,
  describeCluster,
  describeProducers,
  describeTransactions,
  listTransactions,
  consumerGroupHeartbeat,
  consumerGroupDescribe,
  listConfigResources,
  describeTopicPartitions,
]

const byKey: ReadonlyMap<number, Api> = new Map(apis.map((api) => [api.key, api]))
const byName: ReadonlyMap<string, Api> = new Map(apis.map((api) => [api.name, api]))

/** The API with this number; undefined when none is declared. */
export function apiByKey(key: number): Api | undefined {
  return byKey.get(key)
}

/** The API with this name, with its types. */
export function apiNamed<Name extends ApiName>(name: Name): ApiNamed<Name> {
  return byName.get(name) as ApiDeclaration as ApiNamed<Name>
}
