import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import type { GroupDescription } from '../groups/group-administration.ts'
import { GroupNotFoundError } from '../groups/group-errors.ts'
import { type Cluster, isPassingFailure } from './cluster.ts'
import { ClusterRefusedError, ClusterUnsupportedError } from './cluster-errors.ts'
import { ClusterGroups } from './cluster-groups.ts'
import { committedOf, offsetFetchOf } from './cluster-offsets.ts'
import { type ConsumerGroupAnswer, consumerGroupDescribe } from './consumer-group-describe.ts'
import { classicDescription, consumerDescription } from './group-descriptions.ts'
import { whole } from './kafka-failures.ts'

/** An answer tells what each of them has committed, of however many partitions. */
const groupsAtOnce = 200

/**
 * All groups of a cluster, by name, with their offsets. Each broker is asked about those that it
 * coordinates, many at once; what is not told of one in that way is asked for by itself. Rejects as
 * `GroupAdministration.describe` does, but for groups that are gone meanwhile, which are left out.
 */
export async function describeClusterGroups(
  cluster: Cluster,
): Promise<readonly GroupDescription[]> {
  const groups = new ClusterGroups(cluster)
  const described = new Map<string, GroupDescription>()
  for (const [node, names] of await groups.listByNode()) {
    for (let first = 0; first < names.length; first += groupsAtOnce) {
      const some = names.slice(first, first + groupsAtOnce)
      for (const each of await describeTogether(cluster, node, some)) {
        described.set(each.group, each)
      }
      for (const name of some) {
        if (described.has(name)) continue
        const found = await unlessGone(groups.describe(name))
        if (found !== null) described.set(name, found)
      }
    }
  }
  return [...described.values()].sort((one, other) => (one.group < other.group ? -1 : 1))
}

/** Those of which a broker tells all without a complaint. */
async function describeTogether(
  cluster: Cluster,
  node: number,
  names: readonly string[],
): Promise<readonly GroupDescription[]> {
  try {
    const offsets = await offsetsTogether(cluster, node, names)
    const classic = await classicTogether(cluster, node, names)
    const found = new Map(classic.map((each) => [each.group, each]))
    const others = names.filter((name) => !found.has(name))
    for (const each of await consumersTogether(cluster, node, others)) found.set(each.group, each)
    return [...found.values()].flatMap((each) => {
      const committed = offsets.get(each.group)
      return committed === undefined ? [] : [{ ...each, offsets: committed }]
    })
  } catch (error) {
    // Each is asked for by itself then, where its coordinator is.
    const isForEach = isPassingFailure(error) || error instanceof ClusterRefusedError
    if (isForEach) return []
    throw error
  }
}

async function offsetsTogether(
  cluster: Cluster,
  node: number,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly CommittedOffset[]>> {
  const api = offsetFetchOf(cluster)
  const asked = names.map((groupId) => ({ groupId, memberId: null, memberEpoch: -1, topics: null }))
  const { groups } = await cluster.on(node, (connection) => {
    return whole(api.async(connection, asked, true))
  })
  const told = groups.filter(({ errorCode, topics }) => {
    const partitions = topics.flatMap((topic) => topic.partitions)
    return errorCode === 0 && partitions.every((each) => each.errorCode === 0)
  })
  return new Map(told.map((each) => [each.groupId, committedOf([each])]))
}

async function classicTogether(cluster: Cluster, node: number, names: readonly string[]) {
  const { api } = cluster.client.describeGroupsV5
  const { groups } = await cluster.on(node, (connection) => {
    return whole(api.async(connection, [...names], false))
  })
  return groups
    .filter(({ errorCode, groupState }) => errorCode === 0 && groupState !== 'Dead')
    .map(classicDescription)
}

async function consumersTogether(cluster: Cluster, node: number, names: readonly string[]) {
  if (names.length === 0) return []
  try {
    const known = [consumerGroupDescribe(cluster.client)]
    const api = cluster.version('ConsumerGroupDescribe', known)
    const answer: { readonly groups: readonly ConsumerGroupAnswer[] } = await cluster.on(
      node,
      (connection) => whole(api.async(connection, names)),
    )
    return answer.groups.filter(({ errorCode }) => errorCode === 0).map(consumerDescription)
  } catch (error) {
    // There are no such groups then.
    if (error instanceof ClusterUnsupportedError) return []
    throw error
  }
}

async function unlessGone<Found>(asking: Promise<Found>): Promise<Found | null> {
  try {
    return await asking
  } catch (error) {
    if (error instanceof GroupNotFoundError) return null
    throw error
  }
}
