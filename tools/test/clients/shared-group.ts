import type { GroupAdministration } from '@varve/broker'
import { expect } from 'vitest'
import type { CommitLog } from './commit-log.ts'
import type { DrivenClient } from './driven-client.ts'

interface Place {
  readonly partition: number
  readonly offset: number
}

/**
 * What the members of a group have said, those included that have gone: of it nothing that was
 * acknowledged may be lost, and the group may not be ahead of it.
 */
export class SharedGroup {
  readonly name: string
  readonly #members: DrivenClient[]

  constructor(name: string, members: readonly DrivenClient[]) {
    this.name = name
    this.#members = [...members]
  }

  /** Also those who have gone. */
  get members(): readonly DrivenClient[] {
    return this.#members
  }

  add(member: DrivenClient): void {
    this.#members.push(member)
  }

  /** How many records have come, the same one twice included. */
  get received(): number {
    return this.#members.reduce((sum, member) => sum + member.count('record'), 0)
  }

  hasReceived(values: readonly string[]): boolean {
    const received = new Set(this.#members.flatMap((member) => member.values))
    return values.every((value) => received.has(value))
  }

  /**
   * Every commit that was acknowledged is in the log, and what the server says is committed is one
   * of those, of what was received. It need not be the furthest: librdkafka sends commits again
   * that a crash has left unanswered, after those that came later.
   */
  async expectCommitted(groups: GroupAdministration, log: CommitLog): Promise<void> {
    const acknowledged = this.#told('committed')
    const { offsets } = await groups.describe(this.name)
    await log.readOn()
    const lost = acknowledged.filter(({ partition, offset }) => {
      return !log.has(this.name, partition, offset)
    })
    expect(lost, `acknowledged commits of ${this.name} that are lost`).toEqual([])
    const unknown = offsets.filter(({ partition, offset }) => {
      return !log.has(this.name, partition, offset)
    })
    expect(unknown, `offsets of ${this.name} that nobody has committed`).toEqual([])
    const isReceived = (): boolean => {
      const received = this.#told('record')
      return offsets.every(({ partition, offset }) => {
        return received.some((each) => each.partition === partition && each.offset >= offset - 1)
      })
    }
    const [first] = this.#members
    // What a member has said before it committed may still be on its way.
    await first?.until(`${this.name} to have received ${JSON.stringify(offsets)}`, isReceived)
  }

  /** Where events of a kind were. */
  #told(kind: string): readonly Place[] {
    return this.#members.flatMap(({ events }) => {
      return events.flatMap(({ event, partition = -1, offset = -1 }) => {
        return event === kind ? [{ partition, offset }] : []
      })
    })
  }
}
