import assert from 'node:assert/strict'
import type { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import type { TopicPartition } from '../../src/base/topic-partition.ts'
import type { PartitionOwner } from '../../src/consuming/assignment-source.ts'
import { Deferred } from '../../src/groups/classic/deferred.ts'
import { GroupCoordinator } from '../../src/groups/group-coordinator.ts'
import { GroupMember } from '../../src/groups/group-member.ts'
import type { GroupMemberOptions } from '../../src/groups/group-member-options.ts'
import { OffsetStore } from '../../src/groups/offset-store.ts'
import { type OffsetsPlace, openOffsets } from './group-fixture.ts'

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** A coordinator with the group `g` on the topic `t`, in a data directory that can be cut off. */
export class GroupBench {
  partitions: number
  coordinator: GroupCoordinator
  readonly owners = new Map<string, TestOwner>()
  /** Which member has each partition. */
  readonly held = new Map<string, TestOwner>()
  /** The latest offset whose commit was acknowledged, and the latest that was asked for. */
  readonly acknowledged = new Map<string, number>()
  readonly requested = new Map<string, Set<number>>()
  #place: OffsetsPlace
  #store: OffsetStore
  #ids = 0

  private constructor(place: OffsetsPlace, store: OffsetStore, partitions: number) {
    this.#place = place
    this.#store = store
    this.partitions = partitions
    this.coordinator = this.#coordinate()
  }

  static async open(options: {
    readonly partitions: number
    readonly fs?: SimulatedFileSystem
    readonly clock?: ManualClock
  }): Promise<GroupBench> {
    const place = await openOffsets(options.fs, options.clock)
    return new GroupBench(place, await OffsetStore.load(place.log), options.partitions)
  }

  get clock(): ManualClock {
    return this.#place.clock
  }

  /** Begins to join. */
  start(name: string, options: Partial<GroupMemberOptions> = {}): TestOwner {
    const { coordinator } = this
    const member = new GroupMember(async () => coordinator, {
      group: 'g',
      topics: ['t'],
      clientId: name,
      ...options,
    })
    const owner = new TestOwner(this, member)
    this.owners.set(name, owner)
    owner.started = member.start(owner)
    return owner
  }

  /** Joins, and waits for the first assignment. */
  async join(name: string, options: Partial<GroupMemberOptions> = {}): Promise<TestOwner> {
    const owner = this.start(name, options)
    await owner.started
    return owner
  }

  async turns(count = 10): Promise<void> {
    for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
  }

  /** Until the group has come to rest. */
  async settled(): Promise<void> {
    for (let round = 0; round < 50; round++) {
      await this.turns(20)
      if (!(await this.coordinator.list()).includes('g')) {
        if (this.owners.size === 0) return
        continue
      }
      const { state } = await this.coordinator.describe('g')
      if (state !== 'Stable' && state !== 'Empty') continue
      if (this.owners.size === 0 || this.held.size === this.partitions) return
    }
    if (this.owners.size > 0) throw new Error('the group does not come to rest')
  }

  checkAllOwned(): void {
    if (this.owners.size > 0) assert.equal(this.held.size, this.partitions)
  }

  /** The power is cut, or the process ends: what is left is opened again. */
  async restart(how: 'crash' | 'close'): Promise<void> {
    const { fs, clock } = this.#place
    for (const owner of this.owners.values()) owner.isDead = true
    this.owners.clear()
    this.held.clear()
    const left = how === 'crash' ? fs.crashState(fs.operations, 'none') : fs
    this.coordinator.close()
    await this.#place.directory.close()
    this.#place = await openOffsets(left, clock)
    this.#store = await OffsetStore.load(this.#place.log)
    this.coordinator = this.#coordinate()
    this.checkCommitted()
  }

  /** What is committed is what was acknowledged, or a commit that was on its way. */
  checkCommitted(): void {
    for (const [name, offset] of this.acknowledged) {
      const found = this.#store.committed('g', 't', Number(name.slice(2)))?.offset
      assert(found !== undefined, 'an acknowledged commit is there')
      const onItsWay = this.requested.get(name)?.has(found) === true && found > offset
      assert(found === offset || onItsWay, 'it is the latest')
      this.acknowledged.set(name, found)
    }
  }

  committed(name: string): number {
    return this.#store.committed('g', 't', Number(name.slice(2)))?.offset ?? 0
  }

  async close(): Promise<void> {
    for (const owner of this.owners.values()) owner.unstick()
    await this.#place.directory.close()
  }

  #coordinate(): GroupCoordinator {
    return new GroupCoordinator([this.#store], {
      clock: this.#place.clock,
      newId: () => String(++this.#ids),
      partitionCount: (topic) => (topic === 't' ? this.partitions : null),
    })
  }
}

/** What a consumer is to its group; checks that it is alone with what it is given. */
export class TestOwner implements PartitionOwner {
  readonly member: GroupMember
  /** The next record of each partition that it has. */
  readonly positions = new Map<string, number>()
  started: Promise<void> = Promise.resolve()
  revocations = 0
  failure: unknown = null
  isStuck = false
  /** Its process has ended: nothing that it does counts. */
  isDead = false
  readonly #bench: GroupBench
  #stuck = new Deferred<void>()
  #isCalled = false

  constructor(bench: GroupBench, member: GroupMember) {
    this.#bench = bench
    this.member = member
  }

  get names(): string[] {
    return [...this.positions.keys()].sort()
  }

  async assign(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.isDead) return
    this.#enter()
    for (const name of partitions.map(nameOf)) {
      assert(!this.#bench.held.has(name), 'a partition is with one member at a time')
      this.#bench.held.set(name, this)
    }
    const committed = await this.member.fetch(partitions)
    this.#isCalled = false
    if (this.isDead) return
    partitions.forEach((partition, index) => {
      const name = nameOf(partition)
      if (this.#bench.held.get(name) !== this) return
      const offset = committed[index]?.offset ?? 0
      assert(offset >= (this.#bench.acknowledged.get(name) ?? 0), 'it goes on where was committed')
      assert.equal(offset, this.#bench.committed(name))
      this.positions.set(name, offset)
    })
  }

  async revoke(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.isDead) return
    this.#enter()
    this.revocations += 1
    if (this.isStuck) await this.#stuck.promise
    await new Promise(setImmediate)
    this.#isCalled = false
    if (this.isDead) return
    this.#release(partitions)
  }

  lose(partitions: readonly TopicPartition[]): void {
    if (!this.isDead) this.#release(partitions)
  }

  fail(error: unknown): void {
    this.failure = error
  }

  /** Handles so many records of each partition. */
  handle(count: number): void {
    for (const [name, position] of this.positions) this.positions.set(name, position + count)
  }

  async commit(): Promise<void> {
    const offsets = [...this.positions].map(([name, offset]) => ({
      topic: 't',
      partition: Number(name.slice(2)),
      offset,
    }))
    for (const [name, offset] of this.positions) {
      const requested = this.#bench.requested.get(name) ?? new Set()
      this.#bench.requested.set(name, requested.add(offset))
    }
    await this.member.commit(offsets)
    if (this.isDead) return
    for (const { partition, offset } of offsets) {
      const name = `t-${partition}`
      this.#bench.acknowledged.set(name, Math.max(offset, this.#bench.acknowledged.get(name) ?? 0))
    }
  }

  unstick(): void {
    this.isStuck = false
    this.#stuck.resolve()
    this.#stuck = new Deferred()
  }

  #enter(): void {
    assert(!this.#isCalled, 'an owner is called once at a time')
    this.#isCalled = true
  }

  #release(partitions: readonly TopicPartition[]): void {
    for (const name of partitions.map(nameOf)) {
      if (this.#bench.held.get(name) === this) this.#bench.held.delete(name)
      this.positions.delete(name)
    }
  }
}
