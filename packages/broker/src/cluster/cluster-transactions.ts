import type { Connection } from '@platformatic/kafka'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import type { IdentitySource, ProducerIdentity } from '../producing/producer-identity.ts'
import { TransactionEndedError } from '../transactions/transaction-errors.ts'
import type {
  Enlisted,
  TransactionHome,
  TransactionOffsets,
} from '../transactions/transaction-home.ts'
import type { Cluster } from './cluster.ts'
import { ClusterRefusedError } from './cluster-errors.ts'
import { groupErrorOf } from './group-failures.ts'
import { kafkaCodes } from './kafka-codes.ts'
import type { NamedIdentities } from './producer-identities.ts'

/** The transactions of one transactional id on a cluster, which decides them. */
export class ClusterTransactions implements TransactionHome {
  readonly #cluster: Cluster
  readonly #identities: NamedIdentities

  constructor(cluster: Cluster, identities: NamedIdentities) {
    this.#cluster = cluster
    this.#identities = identities
  }

  identitiesOf(): IdentitySource {
    return this.#identities
  }

  enlist(id: string, identity: ProducerIdentity, place: TopicPartition): Enlisted {
    const { api } = this.#cluster.client.addPartitionsToTxnV3
    const { producerId, producerEpoch } = identity
    const transaction = {
      transactionalId: id,
      producerId: BigInt(producerId),
      producerEpoch,
      verifyOnly: false,
      topics: [{ name: place.topic, partitions: [place.partition] }],
    }
    const joined = this.#ask('joining a transaction', id, async (connection) => {
      await api.async(connection, [transaction])
    })
    // Every acknowledged record is with all replicas that are in sync.
    return { joined, makeDurable: async () => undefined }
  }

  async sendOffsets(offsets: TransactionOffsets): Promise<void> {
    const { transactionalId: id, identity, group, member, began } = offsets
    const { addOffsetsToTxnV3, txnOffsetCommitV3 } = this.#cluster.client
    const producerId = BigInt(identity.producerId)
    await this.#ask('joining a transaction', id, async (connection) => {
      const { producerEpoch } = identity
      await addOffsetsToTxnV3.api.async(connection, id, producerId, producerEpoch, group)
    })
    began()
    const commit = async (connection: Connection): Promise<void> => {
      await txnOffsetCommitV3.api.async(
        connection,
        id,
        group,
        producerId,
        identity.producerEpoch,
        member?.generation ?? -1,
        member?.memberId ?? '',
        member?.groupInstanceId ?? null,
        offsetsByTopic(offsets.offsets),
      )
    }
    try {
      await this.#cluster.retrying(`committing offsets of '${group}'`, () => {
        return this.#cluster.onCoordinator('group', group, commit)
      })
    } catch (error) {
      throw this.#identities.inOurWords(groupErrorOf(error, group, member))
    }
  }

  async end(id: string, identity: ProducerIdentity, outcome: 'commit' | 'abort'): Promise<void> {
    const { api } = this.#cluster.client.endTxnV3
    const producerId = BigInt(identity.producerId)
    const isCommit = outcome === 'commit'
    try {
      await this.#ask(`${outcome} of a transaction`, id, async (connection) => {
        await api.async(connection, id, producerId, identity.producerEpoch, isCommit)
      })
    } catch (error) {
      const isEnded =
        error instanceof ClusterRefusedError &&
        error.kafkaErrorCode === kafkaCodes.invalidTransactionState
      if (!isEnded) throw error
      // There is nothing left to be aborted.
      if (isCommit) throw new TransactionEndedError(id)
    }
  }

  async #ask(
    what: string,
    id: string,
    ask: (connection: Connection) => Promise<void>,
  ): Promise<void> {
    try {
      await this.#cluster.retrying(`${what} of '${id}'`, () => {
        return this.#cluster.onCoordinator('transaction', id, ask)
      })
    } catch (error) {
      throw this.#identities.inOurWords(error)
    }
  }
}

/** Offsets of a topic as Kafka's requests have them. */
export interface OffsetsOfTopic {
  readonly name: string
  readonly partitions: Array<{
    readonly partitionIndex: number
    readonly committedOffset: bigint
    readonly committedLeaderEpoch: number
    readonly committedMetadata: string
  }>
}

/** Offsets as Kafka's requests have them. */
export function offsetsByTopic(offsets: readonly CommittedOffset[]): OffsetsOfTopic[] {
  const topics = new Map<string, CommittedOffset[]>()
  for (const each of offsets) topics.set(each.topic, [...(topics.get(each.topic) ?? []), each])
  return [...topics].map(([name, all]) => ({
    name,
    partitions: all.map(({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata,
    })),
  }))
}
