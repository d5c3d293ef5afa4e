import type { TopicPartition } from '../../../src/base/topic-partition.ts'
import type { PartitionOwner } from '../../../src/consuming/assignment-source.ts'
import type { Assignor } from '../../../src/groups/assigning/assignor.ts'
import type { TopicIdPartitions } from '../../../src/groups/consumer/assigned-partitions.ts'
import {
  decodeAssignment,
  encodeAssignment,
  encodeSubscription,
  understoodSubscription,
} from '../../../src/groups/consumer-protocol.ts'
import {
  GroupError,
  IllegalGenerationError,
  MemberIdRequiredError,
  RebalanceInProgressError,
} from '../../../src/groups/group-errors.ts'
import { GroupMember } from '../../../src/groups/group-member.ts'
import type { JoinResult, MemberIdentity } from '../../../src/groups/group-protocol.ts'
import { beatOf, joinOf } from '../consumer/consumer-group-bench.ts'
import { type BenchClient, isOver, type MigrationBench } from './migration-bench.ts'

/** What all clients over the wire have in common: a loop, and partitions that they go on in. */
abstract class WireClient implements BenchClient {
  readonly name: string
  readonly instanceId: string | null
  readonly isLocal = false
  failure: unknown = null
  protected readonly bench: MigrationBench
  protected readonly positions = new Map<number, number>()
  protected isStopping = false
  #isDead = false
  #running: Promise<void> = Promise.resolve()

  constructor(bench: MigrationBench, name: string, instanceId: string | null) {
    this.bench = bench
    this.name = name
    this.instanceId = instanceId
    bench.clients.set(name, this)
  }

  get partitions(): number[] {
    return [...this.positions.keys()].sort((a, b) => a - b)
  }

  protected abstract get identity(): MemberIdentity
  protected abstract step(): Promise<void>
  protected abstract leave(): Promise<void>

  begin(): this {
    this.#running = this.#run()
    return this
  }

  async stop(): Promise<void> {
    this.isStopping = true
    await this.#running
    this.bench.dead(this)
  }

  kill(): void {
    this.#isDead = true
    this.bench.dead(this)
  }

  take(partitions: readonly number[]): void {
    for (const partition of partitions) {
      if (this.#isDead || this.positions.has(partition)) continue
      this.positions.set(partition, this.bench.take(this, partition))
    }
  }

  release(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.positions.delete(partition)
      this.bench.release(this, partition)
    }
  }

  /** Goes on in what it has, and commits that. */
  protected async work(): Promise<void> {
    for (const [partition, position] of this.positions) {
      const isTaken = await this.bench.commit(this.identity, partition, position + 1)
      if (isTaken && this.positions.has(partition)) this.positions.set(partition, position + 1)
    }
  }

  async #run(): Promise<void> {
    while (!this.#isDead && !this.isStopping) {
      if (!this.bench.isDown) await this.#try(() => this.step())
      await new Promise(setImmediate)
    }
    if (this.#isDead) return
    this.release(this.partitions)
    await this.#try(() => this.leave())
  }

  async #try(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      if (isOver(error) || error instanceof GroupError) return
      this.failure ??= error
      this.bench.failed(error)
      this.kill()
    }
  }
}

/** A member of the consumer protocol. */
export class ConsumerClient extends WireClient {
  #epoch = 0
  readonly #memberId: string

  constructor(bench: MigrationBench, name: string, instanceId: string | null = null) {
    super(bench, name, instanceId)
    this.#memberId = `c-${name}`
  }

  get identity(): MemberIdentity {
    return { memberId: this.#memberId, groupInstanceId: null, generation: this.#epoch }
  }

  protected async step(): Promise<void> {
    const { settings, coordinator } = this.bench
    const said = { instanceId: this.instanceId, owned: this.#owned }
    const request =
      this.#epoch === 0
        ? joinOf(this.#memberId, { instanceId: this.instanceId })
        : beatOf(this.#memberId, this.#epoch, said)
    try {
      const answer = await coordinator.consumers.heartbeat(request, {
        ...{ settings, isVisible: () => true },
      })
      this.#epoch = answer.memberEpoch
      if (answer.assignment !== null) await this.#given(answer.assignment)
    } catch (error) {
      if (!(error instanceof GroupError)) throw error
      this.release(this.partitions)
      this.#epoch = 0
    }
    await this.work()
  }

  protected async leave(): Promise<void> {
    if (this.#epoch === 0) return
    // A static member may be back.
    const epoch = this.instanceId === null ? -1 : -2
    const request = beatOf(this.#memberId, epoch, { instanceId: this.instanceId })
    const { settings, coordinator } = this.bench
    await coordinator.consumers.heartbeat(request, { settings, isVisible: () => true })
  }

  async #given(assignment: readonly TopicIdPartitions[]): Promise<void> {
    const given = assignment.flatMap(({ partitions }) => partitions)
    await this.work()
    this.release(this.partitions.filter((each) => !given.includes(each)))
    this.take(given)
  }

  get #owned(): TopicIdPartitions[] {
    const topicId = this.bench.topics.find('t')?.topicId ?? ''
    return this.positions.size === 0 ? [] : [{ topicId, partitions: this.partitions }]
  }
}

/** A member of the classic protocol, over the wire. */
export class ClassicClient extends WireClient {
  readonly #assignor: Assignor
  #memberId = ''
  #generation = -1
  #mustJoin = true

  constructor(
    bench: MigrationBench,
    name: string,
    assignor: Assignor,
    instanceId: string | null = null,
  ) {
    super(bench, name, instanceId)
    this.#assignor = assignor
  }

  get identity(): MemberIdentity {
    const groupInstanceId = this.instanceId
    return { memberId: this.#memberId, groupInstanceId, generation: this.#generation }
  }

  protected async step(): Promise<void> {
    try {
      if (this.#mustJoin) await this.#rejoin()
      else this.bench.coordinator.heartbeat('g', this.identity)
      await this.work()
    } catch (error) {
      if (error instanceof MemberIdRequiredError) this.#memberId = error.memberId
      else if (error instanceof RebalanceInProgressError) this.#mustJoin = true
      else if (error instanceof GroupError) {
        this.release(this.partitions)
        if (!(error instanceof IllegalGenerationError)) this.#memberId = ''
        this.#generation = -1
        this.#mustJoin = true
      } else throw error
    }
  }

  async #rejoin(): Promise<void> {
    const isCooperative = this.#assignor.rebalanceProtocol === 'cooperative'
    if (!isCooperative) {
      await this.work()
      this.release(this.partitions)
    }
    const joined = await this.#join()
    this.#memberId = joined.memberId
    this.#generation = joined.generation
    this.#mustJoin = false
    const assignments = joined.leader === joined.memberId ? this.#divide(joined) : new Map()
    const { coordinator } = this.bench
    const bytes = await coordinator.sync('g', {
      ...{ ...this.identity, assignments },
      ...{ protocolType: 'consumer', protocol: joined.protocol },
    })
    const given = decodeAssignment(bytes).partitions.map(({ partition }) => partition)
    const revoked = this.partitions.filter((each) => !given.includes(each))
    await this.work()
    this.release(revoked)
    this.take(given)
    if (isCooperative && revoked.length > 0) this.#mustJoin = true
  }

  #join(): Promise<JoinResult> {
    const ownedPartitions = this.partitions.map((partition) => ({ topic: 't', partition }))
    const metadata = encodeSubscription({
      ...{ topics: ['t'], userData: null, ownedPartitions, rackId: null },
      generationId: ownedPartitions.length === 0 ? -1 : this.#generation,
    })
    return this.bench.coordinator.join('g', {
      ...{ memberId: this.#memberId, groupInstanceId: this.instanceId },
      ...{ clientId: this.name, clientHost: '/127.0.0.1', protocolType: 'consumer' },
      protocols: [{ name: this.#assignor.name, metadata }],
      ...{ sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000, local: null, needsKnownId: true },
    })
  }

  #divide({ members }: JoinResult): Map<string, Buffer> {
    const assignable = members.map(({ metadata, ...member }) => {
      return { ...member, ...understoodSubscription(metadata) }
    })
    const counts = new Map([['t', this.bench.partitions]])
    const parts = this.#assignor.assign(counts, assignable)
    return new Map(
      [...parts].map(([id, partitions]) => [id, encodeAssignment({ partitions, userData: null })]),
    )
  }

  protected async leave(): Promise<void> {
    if (this.instanceId !== null) return
    if (this.#memberId !== '') await this.bench.coordinator.leave('g', this.#memberId)
  }
}

/** A member in the process. */
export class LocalClient implements BenchClient, PartitionOwner {
  readonly name: string
  readonly instanceId: string | null
  readonly isLocal = true
  readonly member: GroupMember
  failure: unknown = null
  readonly #bench: MigrationBench
  readonly #positions = new Map<number, number>()
  #isDead = false

  constructor(
    bench: MigrationBench,
    name: string,
    assignor: Assignor,
    instanceId: string | null = null,
  ) {
    this.#bench = bench
    this.name = name
    this.instanceId = instanceId
    bench.clients.set(name, this)
    const { coordinator } = bench
    const options = { group: 'g', topics: ['t'], clientId: name, assignors: [assignor] }
    const own = instanceId === null ? {} : { groupInstanceId: instanceId }
    this.member = new GroupMember(async () => coordinator, { ...options, ...own })
    void this.member.start(this)
  }

  get partitions(): number[] {
    return [...this.#positions.keys()].sort((a, b) => a - b)
  }

  async assign(partitions: readonly TopicPartition[]): Promise<void> {
    for (const { partition } of partitions) {
      if (this.#isDead) return
      this.#positions.set(partition, this.#bench.take(this, partition))
    }
  }

  async revoke(partitions: readonly TopicPartition[]): Promise<void> {
    for (const { partition } of partitions) {
      const offset = (this.#positions.get(partition) ?? 0) + 1
      if (!this.#isDead) await this.#bench.commit(this.member.identity, partition, offset)
    }
    this.lose(partitions)
  }

  lose(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) {
      this.#positions.delete(partition)
      this.#bench.release(this, partition)
    }
  }

  fail(error: unknown): void {
    if (this.#isDead) return
    this.failure = error
    this.#bench.failed(error)
  }

  async stop(): Promise<void> {
    await this.member.close()
    this.#bench.dead(this)
  }

  kill(): void {
    this.#isDead = true
    this.#bench.dead(this)
  }
}
