import { readVarve } from '@varve/broker'
import type { ReadOnlyLog } from '@varve/log'
import {
  type GroupRecord,
  readGroupRecord,
} from '../../../packages/broker/src/groups/group-record.ts'

/**
 * Every commit that stands in the log of offsets of a served directory, read beside its server:
 * what the server says of a group is only the last of them. The log is shorter than a segment, so
 * compaction has taken none away.
 */
export class CommitLog implements AsyncDisposable {
  readonly #log: ReadOnlyLog
  /** By group, partition and offset. */
  readonly #commits = new Set<string>()
  #next = 0

  private constructor(log: ReadOnlyLog) {
    this.#log = log
  }

  /** The server has begun to keep offsets. */
  static async open(directory: string): Promise<CommitLog> {
    await using reader = await readVarve(directory)
    return new CommitLog(await reader.log('__consumer_offsets', 0))
  }

  /** Takes in what is there by now. */
  async readOn(): Promise<void> {
    await this.#log.refresh()
    for await (const batch of this.#log.reader({ from: this.#next })) {
      this.#next = batch.lastOffset + 1
      if (!batch.isControl)
        for (const record of batch.records()) this.#take(readGroupRecord(record))
    }
  }

  has(group: string, partition: number, offset: number): boolean {
    return this.#commits.has(nameOf(group, partition, offset))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#log.close()
  }

  #take(found: GroupRecord): void {
    if (found.kind !== 'offsetCommit' || found.value === null) return
    const { group, partition } = found.key
    this.#commits.add(nameOf(group, partition, found.value.offset))
  }
}

function nameOf(group: string, partition: number, offset: number): string {
  return `${group}:${partition}:${offset}`
}
