import type { GroupMetadata } from '../group-metadata.ts'
import { Group } from './group.ts'
import type { GroupContext } from './group-context.ts'
import { localHost } from './member-state.ts'

/**
 * A group as it was noted last. Members of a process that has ended are gone; others have a
 * session's time to be heard of again. One without a leader was of the consumer protocol before,
 * and has divided nothing itself yet.
 */
export function restoredGroup(name: string, metadata: GroupMetadata, context: GroupContext): Group {
  const { protocol, leader } = metadata
  const remote = metadata.members.filter(({ clientHost }) => clientHost !== localHost)
  const members = remote.map(({ subscription, ...each }) => {
    return { ...each, protocols: [{ name: protocol ?? '', metadata: subscription }], local: null }
  })
  const isSmaller = remote.length < metadata.members.length
  // Its members have been there until now: from now on it is empty.
  const since = remote.length === 0 && isSmaller ? context.clock.now() : null
  const currentStateTimestamp = since ?? metadata.currentStateTimestamp
  const handed = { ...metadata, currentStateTimestamp, members, isStable: true }
  const group = Group.takeOver(name, handed, context)
  if (remote.length > 0 && (isSmaller || leader === null)) group.rebalance()
  return group
}
