import { expect } from 'vitest'
import type { ClientTrial } from './client-trial.ts'
import type { DrivenClient } from './driven-client.ts'

const batch = 40

/**
 * A group of one, then of two, then of one again, and one that comes later: at every time all
 * partitions have one reader, all that is sent is received, and who comes later goes on where the
 * others have committed.
 */
export async function shareThroughRebalances(
  trial: ClientTrial,
  strategy: string,
  how: Readonly<Record<string, string>> = { strategy },
): Promise<void> {
  const [topic, group] = [trial.nameOf(strategy), trial.nameOf(`shares-${strategy}`)]
  const shared = { topic, group, ...how }
  let sent = 0
  const send = async (): Promise<void> => {
    await trial.run('produce', { topic, first: sent, count: batch })
    sent += batch
  }
  await send()
  const first = trial.open('member', shared)
  await first.until('all partitions', () => first.assigned.length === 4)
  await first.until('the first records', () => numbersOf([first]).size === sent)

  const second = trial.open('member', shared)
  await second.until('half of the partitions', () => isShared(first, second))
  await send()
  await second.until('what was sent to both', () => numbersOf([first, second]).size === sent)
  expect(second.values.length).toBeGreaterThan(0)

  await second.stop()
  await first.until('all partitions again', () => first.assigned.length === 4)
  await send()
  await first.until('what was sent after', () => numbersOf([first, second]).size === sent)
  await first.stop()
  expectEachOnce([first, second], sent)

  const later = trial.open('member', shared)
  await later.until('all partitions', () => later.assigned.length === 4)
  await send()
  await later.until('what is new', () => later.values.length >= batch)
  await later.stop()
  expectEachOnce([first, second, later], sent)
}

function isShared(first: DrivenClient, second: DrivenClient): boolean {
  const all = [...first.assigned, ...second.assigned].sort()
  return first.assigned.length === 2 && all.join() === '0,1,2,3'
}

function numbersOf(members: readonly DrivenClient[]): ReadonlySet<string> {
  return new Set(members.flatMap(({ values }) => values))
}

/** All members commit what they have received before they let go of a partition. */
function expectEachOnce(members: readonly DrivenClient[], sent: number): void {
  const received = members.flatMap(({ values }) => values).sort()
  expect(received).toEqual(valuesTo(sent))
}

/** What programs send with these numbers, in the order of texts. */
export function valuesTo(end: number, first = 0): readonly string[] {
  return Array.from({ length: end - first }, (_, index) => `record-${first + index}`).sort()
}

/**
 * A rolling restart of a group from the classic to the consumer protocol, and back: there are
 * members all the time, all partitions have one reader, and all that is sent is received once.
 */
export async function bounceThroughProtocols(trial: ClientTrial, strategy: string): Promise<void> {
  const [topic, group] = [trial.nameOf(`bounced-${strategy}`), trial.nameOf(`bounces-${strategy}`)]
  const all: DrivenClient[] = []
  const open = (how: Readonly<Record<string, string>>): DrivenClient => {
    const member = trial.open('member', { topic, group, ...how })
    all.push(member)
    return member
  }
  let sent = 0
  const live = async (what: string, ...members: readonly DrivenClient[]): Promise<void> => {
    const [one] = members
    await one?.until(`${what}: the partitions`, () => {
      const assigned = members.flatMap((each) => each.assigned).sort()
      return assigned.join() === '0,1,2,3' && members.every((each) => each.assigned.length > 0)
    })
    await trial.run('produce', { topic, first: sent, count: batch })
    sent += batch
    await one?.until(`${what}: the records`, () => numbersOf(all).size === sent)
  }
  // Not all clients make the topic that they subscribe to.
  await trial.run('produce', { topic, count: batch })
  sent = batch
  const [first, second] = [open({ strategy }), open({ strategy })]
  await live('two of the classic protocol', first, second)
  const third = open({ protocol: 'consumer' })
  await live('and one of the consumer protocol', first, second, third)
  await first.stop()
  await live('one of each', second, third)
  const fourth = open({ protocol: 'consumer' })
  await second.stop()
  await live('two of the consumer protocol', third, fourth)
  const fifth = open({ strategy })
  await third.stop()
  await live('one of each again', fourth, fifth)
  await fourth.stop()
  await live('one of the classic protocol', fifth)
  await fifth.stop()
  expectEachOnce(all, sent)
}
