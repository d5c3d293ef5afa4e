import assert from 'node:assert/strict'
import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import type { Consumer } from '../../src/consuming/consumer.ts'
import type { ConsumerRecord } from '../../src/consuming/consumer-record.ts'
import type { DirectoryVarve } from '../../src/directory-varve.ts'
import { rangeAssignor } from '../../src/groups/assigning/range-assignor.ts'
import { IllegalGenerationError, UnknownMemberError } from '../../src/groups/group-errors.ts'
import { type Machine, newMachine, openOn, turns } from '../broker-fixture.ts'

const partitions = 3
const recordsEach = 25

/** Everything that the members of one group do, over the lives of a process. */
class GroupLife {
  readonly #random: Random
  #machine: Machine
  #varve: DirectoryVarve
  /** Lives end with a power cut: what is left running then does not count. */
  #life = 0
  readonly members = new Map<string, { consumer: Consumer; done: Promise<void> }>()
  /** Who is handling a record of each partition. */
  readonly #busy = new Map<number, string>()
  readonly handled = new Set<string>()
  /** The latest commit of each partition that was acknowledged, and the highest asked for. */
  readonly #acknowledged = new Map<number, number>()
  readonly #requested = new Map<number, number>()
  readonly #isEager: boolean

  private constructor(random: Random, machine: Machine, varve: DirectoryVarve) {
    this.#random = random
    this.#machine = machine
    this.#varve = varve
    this.#isEager = random.bool()
  }

  static async begin(random: Random): Promise<GroupLife> {
    const machine = newMachine()
    const varve = await openOn(machine)
    await varve.createTopic('t', { partitions })
    for (let partition = 0; partition < partitions; partition++) {
      const records = Array.from({ length: recordsEach }, (_, index) => ({ value: String(index) }))
      for (const record of records) await varve.log('t', partition).append(record)
    }
    return new GroupLife(random, machine, varve)
  }

  start(name: string): void {
    const life = this.#life
    const consumer = this.#varve.consumer({
      group: 'g',
      topics: ['t'],
      clientId: name,
      ...(this.#isEager && { assignors: [rangeAssignor] }),
      onAssigned: (given) => {
        if (this.#life !== life) return
        for (const place of given) this.#checkStart(place.partition, consumer.position(place))
      },
    })
    this.members.set(name, { consumer, done: this.#consume(name, consumer) })
  }

  async stop(name: string): Promise<void> {
    const member = this.members.get(name)
    this.members.delete(name)
    // A program closes its consumer between two records.
    while ([...this.#busy.values()].includes(name)) await turns(1)
    await member?.consumer.close()
    await member?.done
  }

  async restart(): Promise<void> {
    this.#life += 1
    this.members.clear()
    this.#busy.clear()
    const { fs } = this.#machine
    const old = this.#varve
    this.#machine = newMachine(fs.crashState(fs.operations, 'none'))
    this.#varve = await openOn(this.#machine)
    await old.close()
  }

  async end(): Promise<void> {
    await this.#varve.close()
  }

  async #consume(name: string, consumer: Consumer): Promise<void> {
    const life = this.#life
    for await (const record of consumer) {
      if (this.#life !== life) return
      const { partition, offset } = record
      assert.equal(this.#busy.get(partition), undefined, 'one member has a partition at a time')
      this.#busy.set(partition, name)
      await turns(this.#random.int(3))
      if (this.#life !== life) return
      this.#busy.delete(partition)
      this.handled.add(`${partition}@${offset}`)
      if (this.#random.bool(0.4)) await this.#commit(consumer, record, life)
    }
  }

  async #commit(consumer: Consumer, record: ConsumerRecord, life: number): Promise<void> {
    const { partition, offset } = record
    const next = offset + 1
    this.#requested.set(partition, Math.max(next, this.#requested.get(partition) ?? 0))
    try {
      await consumer.commit(record)
    } catch (error) {
      if (this.#life !== life) return
      if (error instanceof IllegalGenerationError || error instanceof UnknownMemberError) return
      throw error
    }
    if (this.#life === life) this.#acknowledged.set(partition, next)
  }

  #checkStart(partition: number, position: number): void {
    const least = this.#acknowledged.get(partition) ?? 0
    assert(position >= least, 'a member goes on where was committed')
    assert(position <= Math.max(least, this.#requested.get(partition) ?? 0), 'and not behind it')
    for (let offset = 0; offset < position; offset++) {
      assert(this.handled.has(`${partition}@${offset}`), 'what is committed has been handled')
    }
  }
}

test('consumers that come, go, commit and lose their power leave no record out', async () => {
  const random = new Random(seedFromEnvironment('consumers of a group'))
  for (let round = 0; round < 8; round++) {
    const life = await GroupLife.begin(random.fork())
    for (let step = 0; step < 25; step++) {
      const name = `m${random.int(3)}`
      if (random.bool(0.06)) await life.restart()
      else if (!life.members.has(name)) life.start(name)
      else if (random.bool(0.4)) await life.stop(name)
      await turns(random.int(12))
    }
    if (life.members.size === 0) life.start('last')
    for (let wait = 0; life.handled.size < partitions * recordsEach && wait < 200; wait++) {
      await turns(10)
    }
    expect(life.handled.size).toBe(partitions * recordsEach)
    for (const name of [...life.members.keys()]) await life.stop(name)
    await life.end()
  }
})
