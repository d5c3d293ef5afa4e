import assert from 'node:assert/strict'
import { LogClosedError } from '@varve/log'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { ClosedError } from '../../../src/base/broker-errors.ts'
import type { ConsumerGroupSettings } from '../../../src/groups/consumer/consumer-group-heartbeat.ts'
import { GroupCoordinator } from '../../../src/groups/group-coordinator.ts'
import { GroupError } from '../../../src/groups/group-errors.ts'
import type { MemberIdentity } from '../../../src/groups/group-protocol.ts'
import { OffsetStore } from '../../../src/groups/offset-store.ts'
import { BenchTopics, benchSettings } from '../consumer/consumer-group-bench.ts'
import { type OffsetsPlace, openOffsets } from '../group-fixture.ts'

/** Whether something failed because the server was about to end. */
export function isOver(error: unknown): boolean {
  return error instanceof ClosedError || error instanceof LogClosedError
}

/** A member that the bench drives, of whatever protocol. */
export interface BenchClient {
  readonly name: string
  /** Null for a dynamic member. */
  readonly instanceId: string | null
  /** Lives in the process: it dies with it. */
  readonly isLocal: boolean
  /** Leaves, and is done when it has. */
  stop(): Promise<void>
  /** Ends without a word. */
  kill(): void
}

/** The group `g` on the topic `t`, with members of both protocols, and who has what. */
export class MigrationBench {
  settings: ConsumerGroupSettings
  readonly partitions: number
  readonly topics = new BenchTopics()
  readonly clients = new Map<string, BenchClient>()
  coordinator: GroupCoordinator
  store: OffsetStore
  readonly errors: unknown[] = []
  /** There is nobody to talk to. */
  isDown = false
  readonly #held = new Map<number, BenchClient>()
  readonly #acknowledged = new Map<number, number>()
  #place: OffsetsPlace
  #ids = 0

  private constructor(
    place: OffsetsPlace,
    store: OffsetStore,
    partitions: number,
    settings: Partial<ConsumerGroupSettings>,
  ) {
    this.#place = place
    this.store = store
    this.partitions = partitions
    this.settings = { ...benchSettings, ...settings }
    this.topics.set('t', partitions)
    this.coordinator = this.#coordinate()
  }

  static async open(
    partitions: number,
    settings: Partial<ConsumerGroupSettings> = {},
    fs: SimulatedFileSystem = new SimulatedFileSystem(),
  ): Promise<MigrationBench> {
    const place = await openOffsets(fs, new ManualClock())
    return new MigrationBench(place, await OffsetStore.load(place.log), partitions, settings)
  }

  get clock(): ManualClock {
    return this.#place.clock
  }

  get fs(): SimulatedFileSystem {
    return this.#place.fs
  }

  get log(): OffsetsPlace['log'] {
    return this.#place.log
  }

  get size(): number {
    return this.#held.size
  }

  /** How many partitions each has. */
  get shares(): Record<string, number> {
    const shares: Record<string, number> = {}
    for (const { name } of this.#held.values()) shares[name] = (shares[name] ?? 0) + 1
    return shares
  }

  get type(): string | undefined {
    return this.coordinator.overview().find(({ group }) => group === 'g')?.type
  }

  async turns(count = 10): Promise<void> {
    for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
  }

  /** Time goes by, and those that live are heard of. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.clock.advance(1_000)
      await this.turns(6)
    }
  }

  /** Until something is done, while time goes by. */
  async until<T>(working: Promise<T>): Promise<T> {
    let isDone = false
    const done = working.finally(() => {
      isDone = true
    })
    for (let round = 0; !isDone; round++) {
      await this.turns(4)
      if (round > 20) this.clock.advance(500)
      if (round > 1000) throw new Error(`it does not end: ${this.shown()}`)
    }
    return done
  }

  /** Until every partition is with somebody, and it stays so; as clients that are told later. */
  async settled(isDone: () => boolean = () => true): Promise<void> {
    for (let round = 0, stable = 0; stable < 3; round++) {
      if (round > 300) {
        const shares = JSON.stringify(this.shares)
        throw new Error(`the group does not come to rest: ${shares} ${this.shown()}`)
      }
      await this.turns(10)
      // Who has ended without a word is out after a time.
      if (round > 20) this.clock.advance(500)
      const isWhole = this.#held.size === (this.clients.size === 0 ? 0 : this.partitions)
      stable = isWhole && isDone() ? stable + 1 : 0
    }
  }

  /** What is noted of the group. */
  shown(store: OffsetStore = this.store): string {
    const state = store.consumerGroup('g')
    const metadata = store.metadata('g')
    if (state === null) return JSON.stringify(metadata)
    const members = [...state.members.values()].map(({ assigned, revoking, ...said }) => {
      const parts = [assigned, revoking].map((all) => [...all].map(([id, of]) => [id, [...of]]))
      return [said, parts]
    })
    const targets = [...state.targets].map(([id, of]) => [id, [...of].map(([t, p]) => [t, [...p]])])
    const both = metadata === null ? '' : 'of both kinds'
    return JSON.stringify([both, state.epoch, state.targetEpoch, members.sort(), targets.sort()])
  }

  /** A client has been given a partition: nobody else has it. Returns where it is to go on. */
  take(client: BenchClient, partition: number): number {
    const other = this.#held.get(partition)
    assert(
      other === undefined || other === client,
      `partition ${partition} is with ${other?.name}, and given to ${client.name}`,
    )
    this.#held.set(partition, client)
    const offset = this.store.committed('g', 't', partition)?.offset ?? 0
    const least = this.#acknowledged.get(partition) ?? 0
    assert(offset >= least, `${client.name} goes on at ${offset}, committed was ${least}`)
    return offset
  }

  release(client: BenchClient, partition: number): void {
    if (this.#held.get(partition) === client) this.#held.delete(partition)
  }

  /** Commits; whether it was taken. */
  async commit(identity: MemberIdentity, partition: number, offset: number): Promise<boolean> {
    if (this.isDown) return false
    try {
      await this.coordinator.commit('g', identity, [{ topic: 't', partition, offset }])
    } catch (error) {
      if (error instanceof GroupError || isOver(error)) return false
      throw error
    }
    const before = this.#acknowledged.get(partition) ?? 0
    this.#acknowledged.set(partition, Math.max(before, offset))
    return true
  }

  failed(error: unknown): void {
    if (!isOver(error)) this.errors.push(error)
  }

  /** Its process has ended: what it has nobody has. */
  dead(client: BenchClient): void {
    for (const [partition, each] of this.#held) if (each === client) this.#held.delete(partition)
    this.clients.delete(client.name)
  }

  /** The process is killed, or the power cut, and what is left is opened again. */
  async restart(): Promise<void> {
    const { clock } = this
    for (const client of [...this.clients.values()]) if (client.isLocal) client.kill()
    this.isDown = true
    this.coordinator.close()
    // Answers that are on their way arrive; what nobody was told of is lost.
    await this.turns(30)
    const left = this.fs.crashState(this.fs.operations, 'none')
    const before = this.shown()
    await this.#place.directory.close()
    this.#place = await openOffsets(left, clock)
    this.store = await OffsetStore.load(this.#place.log)
    assert.equal(this.shown(), before, 'the log says the same')
    this.coordinator = this.#coordinate()
    this.isDown = false
  }

  async close(): Promise<void> {
    for (const client of [...this.clients.values()]) client.kill()
    this.coordinator.close()
    await this.#place.directory.close()
  }

  #coordinate(): GroupCoordinator {
    return new GroupCoordinator([this.store], {
      clock: this.#place.clock,
      newId: () => `id${++this.#ids}`,
      topics: this.topics,
      partitionCount: (topic) => this.topics.find(topic)?.partitionCount ?? null,
      consumerGroupSettings: () => this.settings,
      onError: (error) => this.failed(error),
    })
  }
}
