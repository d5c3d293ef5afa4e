import type { FileSystem } from '@varve/log'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { CommittedOffset, CommittedOffsets } from '../consuming/committed-offsets.ts'
import { GroupNotFoundError } from '../groups/group-errors.ts'
import { GroupListing } from '../groups/group-listing.ts'
import type { StoredOffset } from '../groups/group-offsets.ts'
import type { MemberIdentity } from '../groups/group-protocol.ts'
import { ReadOnlyError } from './read-only-error.ts'

/** What a group has committed, for a consumer that is none of its members. */
export class ReadOnlyOffsets implements CommittedOffsets {
  readonly group: string
  readonly isReadOnly = true
  /** Nobody's. */
  readonly identity: MemberIdentity = { memberId: '', groupInstanceId: null, generation: -1 }
  readonly #path: string
  readonly #fs: FileSystem

  constructor(group: string, path: string, fs: FileSystem) {
    this.group = group
    this.#path = path
    this.#fs = fs
  }

  async fetch(
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyArray<CommittedOffset | null>> {
    await using listing = await GroupListing.open(this.#path, { fs: this.#fs })
    const offsets = offsetsOf(listing, this.group)
    return partitions.map(({ topic, partition }) => {
      return offsets.find((one) => one.topic === topic && one.partition === partition) ?? null
    })
  }

  async commit(): Promise<void> {
    this.#refuse()
  }

  async check(): Promise<void> {
    this.#refuse()
  }

  #refuse(): never {
    const what = `offsets of group '${this.group}' are committed where the directory is open`
    throw new ReadOnlyError(this.#path, what)
  }
}

function offsetsOf(listing: GroupListing, group: string): readonly StoredOffset[] {
  try {
    return listing.group(group).offsets
  } catch (error) {
    if (error instanceof GroupNotFoundError) return []
    throw error
  }
}
