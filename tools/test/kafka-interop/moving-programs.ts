import { expect } from 'vitest'
import type { ClientProgram } from '../../src/clients/client-program.ts'
import { DrivenClient } from '../clients/driven-client.ts'
import { historyTopics, sharedTopic } from './moved-history.ts'

/** What each client does against one address: a sender, and a group of two. */
export class MovingPrograms {
  readonly senders: readonly DrivenClient[]
  readonly groups: ReadonlyArray<readonly DrivenClient[]>

  constructor(programs: ReadonlyMap<string, ClientProgram>, bootstrap: string, when: string) {
    const all = [...programs]
    this.senders = all.map(([name, program]) => {
      const clientId = `${name}-${when}`
      return new DrivenClient(program, { verb: 'hammer', bootstrap, clientId, topic: sharedTopic })
    })
    this.groups = all.map(([name, program]) =>
      ['a', 'b'].map((which) => {
        const shared = { topic: sharedTopic, group: `of-${name}`, isolation: 'read_committed' }
        const clientId = `${name}-${when}-${which}`
        return new DrivenClient(program, { verb: 'member', bootstrap, clientId, ...shared })
      }),
    )
  }

  get sent(): readonly string[] {
    return this.senders.flatMap(({ events }) =>
      events.flatMap(({ event, value = '' }) => (event === 'sent' ? [value] : [])),
    )
  }

  /** Until every sender has had so many records acknowledged from now on. */
  async sends(count: number): Promise<void> {
    const before = this.senders.map((sender) => sender.count('sent'))
    const sending = this.senders.map((sender, index) =>
      sender.until('more sent', () => sender.count('sent') >= (before[index] ?? 0) + count),
    )
    await Promise.all(sending)
  }

  /** Until every member has received so many records. */
  async receives(count: number): Promise<void> {
    const receiving = this.groups
      .flat()
      .map((member) => member.until('records', () => member.count('record') >= count))
    await Promise.all(receiving)
  }

  async endMembers(): Promise<void> {
    await Promise.all(this.groups.flat().map((member) => member.stop()))
  }

  async endSenders(): Promise<void> {
    await Promise.all(this.senders.map((sender) => sender.stop()))
  }

  async kill(): Promise<void> {
    await Promise.all([...this.senders, ...this.groups.flat()].map((client) => client.kill()))
  }
}

export function countOf(members: readonly DrivenClient[]): number {
  return members.reduce((sum, member) => sum + member.count('record'), 0)
}

/**
 * The values that a group has read of each partition: those of its first life in the order of their
 * offsets there, then those of its second. Each member must have read a partition in order.
 */
export function partitionsRead(lives: ReadonlyArray<readonly DrivenClient[]>): readonly string[][] {
  const read = Array.from({ length: historyTopics.get(sharedTopic) ?? 0 }, (): string[] => [])
  for (const members of lives) {
    const found = members.flatMap(({ events }) => {
      const records = events.filter(({ event }) => event === 'record')
      for (const [partition] of read.entries()) {
        const offsets = records.filter((one) => one.partition === partition).map(offsetOf)
        expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
      }
      return records
    })
    for (const { partition = -1, value = '' } of found.toSorted(
      (a, b) => offsetOf(a) - offsetOf(b),
    ))
      read[partition]?.push(value)
  }
  return read
}

function offsetOf({ offset = -1 }: { readonly offset?: number }): number {
  return offset
}
