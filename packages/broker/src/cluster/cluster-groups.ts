import { InvalidArgumentError } from '@varve/record'
import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import type { GroupAdministration, GroupDescription } from '../groups/group-administration.ts'
import {
  GroupNotEmptyError,
  GroupNotFoundError,
  UnknownMemberError,
} from '../groups/group-errors.ts'
import type { Cluster } from './cluster.ts'
import { ClusterRefusedError, ClusterUnsupportedError } from './cluster-errors.ts'
import { allOffsets } from './cluster-offsets.ts'
import { offsetsByTopic } from './cluster-transactions.ts'
import { type ConsumerGroupDescribe, consumerGroupDescribe } from './consumer-group-describe.ts'
import { classicDescription, consumerDescription } from './group-descriptions.ts'
import { groupErrorOf } from './group-failures.ts'

/** The consumer groups of a cluster, for operators. */
export class ClusterGroups implements GroupAdministration {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async list(): Promise<readonly string[]> {
    const byNode = await this.listByNode()
    return [...new Set([...byNode.values()].flat())].sort()
  }

  /** Names of the groups that each broker coordinates. */
  async listByNode(): Promise<ReadonlyMap<number, readonly string[]>> {
    const cluster = this.#cluster
    const { listGroupsV5, listGroupsV4 } = cluster.client
    const api = cluster.version('ListGroups', [
      listGroupsV5.api,
      listGroupsV4.api as unknown as typeof listGroupsV5.api,
    ])
    const answers = await cluster.retrying('listing groups', () => {
      return Promise.all(
        cluster.nodes.map(async (node) => {
          const { groups } = await cluster.on(node, (connection) => api.async(connection, [], []))
          return [node, groups.map(({ groupId }) => groupId)] as const
        }),
      )
    })
    return new Map(answers)
  }

  async describe(group: string): Promise<GroupDescription> {
    const offsets = await allOffsets(this.#cluster, group)
    const { api } = this.#cluster.client.describeGroupsV5
    const answer = await this.#ask(group, 'describing', () => {
      return this.#cluster.onCoordinator('group', group, (connection) => {
        return api.async(connection, [group], false)
      })
    })
    const found = answer.groups[0]
    if (found === undefined || found.groupState === 'Dead') {
      return { ...(await this.#describeConsumers(group)), offsets }
    }
    return { ...classicDescription(found), offsets }
  }

  /** A group of the consumer protocol, where the cluster knows of such. */
  async #describeConsumers(group: string): Promise<Omit<GroupDescription, 'offsets'>> {
    let api: ConsumerGroupDescribe
    try {
      const known = consumerGroupDescribe(this.#cluster.client)
      api = this.#cluster.version('ConsumerGroupDescribe', [known])
    } catch (error) {
      // There are no such groups then.
      if (error instanceof ClusterUnsupportedError) throw new GroupNotFoundError(group)
      throw error
    }
    const answer = await this.#ask(group, 'describing', () => {
      return this.#cluster.onCoordinator('group', group, (connection) => {
        return api.async(connection, [group])
      })
    }).catch((error: unknown) => {
      // Kafka before 4.0 knows the request, and has such groups only where that was switched on.
      const isOff =
        error instanceof ClusterRefusedError && error.kafkaErrorName === 'UNSUPPORTED_VERSION'
      throw isOff ? new GroupNotFoundError(group) : error
    })
    const [found] = answer.groups
    if (found === undefined) throw new GroupNotFoundError(group)
    return consumerDescription(found)
  }

  async delete(group: string): Promise<void> {
    const { api } = this.#cluster.client.deleteGroupsV2
    await this.#ask(group, 'deleting', () => {
      return this.#cluster.onCoordinator('group', group, (connection) => {
        return api.async(connection, [group])
      })
    })
  }

  async resetOffsets(group: string, offsets: readonly CommittedOffset[]): Promise<void> {
    if (typeof group !== 'string' || group === '') {
      throw new InvalidArgumentError('group', group, 'the name of a group is a non-empty string')
    }
    const { offsetCommitV9, offsetCommitV8 } = this.#cluster.client
    const api = this.#cluster.version('OffsetCommit', [offsetCommitV9.api, offsetCommitV8.api])
    try {
      await this.#ask(group, 'setting offsets', () => {
        return this.#cluster.onCoordinator('group', group, (connection) => {
          return api.async(connection, group, -1, '', null, offsetsByTopic(offsets))
        })
      })
    } catch (error) {
      // Kafka refuses who is no member, while there are members.
      if (!(error instanceof UnknownMemberError)) throw error
      throw new GroupNotEmptyError(group, (await this.describe(group)).members.length)
    }
  }

  async #ask<Answer>(group: string, what: string, ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await this.#cluster.retrying(`${what} of group '${group}'`, ask)
    } catch (error) {
      if (error instanceof Error) throw groupErrorOf(error, group)
      throw error
    }
  }
}
