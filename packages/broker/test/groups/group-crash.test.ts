import assert from 'node:assert/strict'
import {
  crashVariants,
  describeVariant,
  Random,
  type SimulatedFileSystem,
  seedFromEnvironment,
} from '@varve/log/testing'
import { expect, test } from 'vitest'
import type { Consumer } from '../../src/consuming/consumer.ts'
import type { ConsumerRecord } from '../../src/consuming/consumer-record.ts'
import { rangeAssignor } from '../../src/groups/assigning/range-assignor.ts'
import { IllegalGenerationError, UnknownMemberError } from '../../src/groups/group-errors.ts'
import { newMachine, openOn, turns } from '../broker-fixture.ts'

const partitions = 3
const recordsEach = 12

/** A commit: asked for, and promised, when so many operations had been done. */
interface Commit {
  readonly partition: number
  readonly offset: number
  readonly asked: number
  promised: number
}

interface Story {
  readonly fs: SimulatedFileSystem
  /** From when on the records were there. */
  readonly begun: number
  /** In the order in which they were asked for. */
  readonly commits: Commit[]
  /** When a record was handed out for the first time, by `partition@offset`. */
  readonly handed: Map<string, number>
}

/** Members that come, go, handle and commit, all at the same time. */
class Members {
  readonly #random: Random
  readonly #story: Story
  readonly #consume: () => Consumer
  readonly #members = new Map<string, { consumer: Consumer; done: Promise<void> }>()
  /** Who has a record of each partition. */
  readonly #busy = new Map<number, string>()

  constructor(random: Random, story: Story, consume: () => Consumer) {
    this.#random = random
    this.#story = story
    this.#consume = consume
  }

  /** Comes, or goes. */
  async change(name: string): Promise<void> {
    const member = this.#members.get(name)
    if (member === undefined) {
      const consumer = this.#consume()
      this.#members.set(name, { consumer, done: this.#handle(name, consumer) })
      return
    }
    this.#members.delete(name)
    // A program closes its consumer between two records.
    while ([...this.#busy.values()].includes(name)) await turns(1)
    await member.consumer.close()
    await member.done
  }

  async end(): Promise<void> {
    for (const name of [...this.#members.keys()]) await this.change(name)
  }

  async #handle(name: string, consumer: Consumer): Promise<void> {
    const { fs, handed } = this.#story
    for await (const record of consumer) {
      const { partition, offset } = record
      assert.equal(this.#busy.get(partition), undefined, 'one member has a partition at a time')
      this.#busy.set(partition, name)
      const place = `${partition}@${offset}`
      if (!handed.has(place)) handed.set(place, fs.operations)
      await turns(this.#random.int(3))
      this.#busy.delete(partition)
      if (this.#random.bool(0.5)) await this.#commit(consumer, record)
    }
  }

  async #commit(consumer: Consumer, record: ConsumerRecord): Promise<void> {
    const { fs, commits } = this.#story
    const { partition, offset } = record
    const commit = { partition, offset: offset + 1, asked: fs.operations, promised: Infinity }
    commits.push(commit)
    try {
      await consumer.commit(record)
      commit.promised = fs.operations
    } catch (error) {
      const isGone = error instanceof IllegalGenerationError || error instanceof UnknownMemberError
      if (!isGone) throw error
      // Refused where it was asked for: nothing of it is ever there.
      commits.splice(commits.indexOf(commit), 1)
    }
  }
}

async function live(random: Random): Promise<Story> {
  const machine = newMachine()
  const { fs } = machine
  await using varve = await openOn(machine, { cleaning: false })
  await varve.createTopic('t', { partitions })
  for (let partition = 0; partition < partitions; partition++) {
    const records = Array.from({ length: recordsEach }, (_, index) => ({ value: `${index}` }))
    await varve.log('t', partition).append(records)
  }
  const story: Story = { fs, begun: fs.operations, commits: [], handed: new Map() }
  const isEager = random.bool()
  const members = new Members(random, story, () =>
    varve.consumer({
      ...{ group: 'g', topics: ['t'], ...(isEager && { assignors: [rangeAssignor] }) },
      ...(random.bool(0.2) && { fetchBytes: 100 }),
    }),
  )
  for (let step = 0; step < 12; step++) {
    await members.change(`m${random.int(3)}`)
    await turns(random.int(10))
  }
  await members.end()
  return story
}

/**
 * What the group finds after a crash: in each partition exactly an offset that was committed, not
 * before one that was promised; from there on every record, each handed out once.
 */
async function check(story: Story, at: number, left: SimulatedFileSystem): Promise<void> {
  await using varve = await openOn(newMachine(left), { cleaning: false })
  const found = new Map<number, number>()
  const consumers = ['a', 'b'].map((clientId) =>
    varve.consumer({
      ...{ group: 'g', topics: ['t'], clientId, follow: false },
      onAssigned: (places) => {
        for (const place of places) {
          if (!found.has(place.partition)) found.set(place.partition, consumerOf(place))
        }
      },
    }),
  )
  const consumerOf = (place: { topic: string; partition: number }): number => {
    const consumer = consumers.find((one) =>
      one.partitions.some((p) => p.partition === place.partition),
    )
    assert(consumer !== undefined, 'a member has what it was given')
    return consumer.position(place)
  }
  const handed: string[] = []
  for (const consumer of consumers) await consumer.start()
  await turns(30)
  for (const consumer of consumers) {
    for await (const { partition, offset } of consumer) {
      handed.push(`${partition}@${offset}`)
      await consumer.commit([{ topic: 't', partition, offset: offset + 1 }])
    }
  }
  assert.equal(found.size, partitions, 'every partition is with a member')
  checkStarts(story, at, found)
  const expected = [...found].flatMap(([partition, start]) =>
    Array.from({ length: recordsEach - start }, (_, index) => `${partition}@${start + index}`),
  )
  assert.deepEqual([...handed].sort(), expected.sort(), 'every record from there on, once')
}

function checkStarts({ commits, handed }: Story, at: number, found: Map<number, number>): void {
  for (const [partition, start] of found) {
    const own = commits.filter((commit) => commit.partition === partition)
    const promised = own.findLastIndex((commit) => commit.promised <= at)
    const possible = own
      .slice(Math.max(0, promised))
      .filter(({ asked }) => asked <= at)
      .map(({ offset }) => offset)
    if (promised === -1) possible.push(0)
    const what = `partition ${partition} goes on at ${start}; possible is ${possible}`
    assert(possible.includes(start), what)
    for (let offset = 0; offset < start; offset++) {
      const when = handed.get(`${partition}@${offset}`) ?? Infinity
      assert(when <= at, `partition ${partition}: ${offset} was never handed out`)
    }
  }
}

/**
 * @param share of the file system's operations after which there is a crash
 * @returns how many times what was left was opened
 */
export async function checkGroupCrashes(
  seed: number,
  share: number,
  how: 'cut' | 'kill',
): Promise<number> {
  const random = new Random(seed)
  const story = await live(random.fork())
  let opened = 0
  for (let at = story.begun; at <= story.fs.operations; at++) {
    if (!random.bool(share)) continue
    const variant = random.pick(crashVariants(random, 4))
    const what = how === 'cut' ? describeVariant(variant) : 'kill'
    const left = how === 'kill' ? story.fs.killState(at) : story.fs.crashState(at, variant)
    try {
      await check(story, at, left)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : cause
      throw new Error(`VARVE_SEED=${seed} ${what} after ${at} operations: ${reason}`, { cause })
    }
    opened++
  }
  return opened
}

test('after any crash a group goes on at exactly its committed offset, and loses nothing', async () => {
  const random = new Random(seedFromEnvironment('crashes of groups'))
  let opened = 0
  for (let round = 0; round < 3; round++) {
    opened += await checkGroupCrashes(random.next(), 0.1, random.bool(0.7) ? 'cut' : 'kill')
  }
  expect(opened).toBeGreaterThan(10)
})
