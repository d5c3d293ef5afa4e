import {
  GroupListing,
  GroupNotFoundError,
  OffsetStore,
  offsetsTopic,
  partitionForGroup,
  Topics,
} from '@varve/broker'

/** What is at hand while a group is changed. */
export interface GroupEditing {
  readonly topics: Topics
  /** Has the group. */
  readonly store: OffsetStore
}

/**
 * Changes what is known of a group, with the data directory for itself: whoever has it open is
 * where members could be, so none is active. What members of a process that died left behind does
 * not matter. A name that was mistyped makes nothing.
 *
 * Rejects with GroupNotFoundError, LogLockedError.
 */
export async function editGroup<Result>(
  data: string,
  group: string,
  edit: (editing: GroupEditing) => Promise<Result>,
): Promise<Result> {
  {
    await using listing = await GroupListing.open(data)
    listing.group(group)
  }
  await using topics = await Topics.open(data, {})
  const topic = topics.topic(offsetsTopic)
  const partition = partitionForGroup(group, topic.partitions.length)
  const store = await OffsetStore.load(topic.partition(partition).log)
  if (!store.groups.includes(group)) throw new GroupNotFoundError(group)
  return await edit({ topics, store })
}
