import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import {
  FencedMemberEpochError,
  GroupFullError,
  InvalidExpressionError,
  UnreleasedInstanceError,
} from '../../../src/groups/consumer/consumer-group-errors.ts'
import { ConsumerGroupState } from '../../../src/groups/consumer/consumer-group-state.ts'
import { loadExpressions } from '../../../src/groups/consumer/topic-expression.ts'
import { FencedInstanceError, UnknownMemberError } from '../../../src/groups/group-errors.ts'
import { BenchMember, beatOf, ConsumerGroupBench, joinOf } from './consumer-group-bench.ts'

beforeAll(loadExpressions)

function benchWith(partitions: number): ConsumerGroupBench {
  const bench = new ConsumerGroupBench()
  bench.topics.set('t', partitions)
  return bench
}

test('the first member gets everything in epoch 2, and is told so again when it asks', () => {
  const bench = benchWith(3)
  const a = new BenchMember(bench, 'a')
  const first = a.beat()
  expect(first).toMatchObject({ memberId: 'a', memberEpoch: 2, heartbeatIntervalMs: 5_000 })
  expect(first.assignment).toHaveLength(1)
  expect(first.assignment?.[0]?.partitions).toEqual([0, 1, 2])
  expect(a.beat().assignment).toBeNull()
  const whole = { rebalanceTimeoutMs: 60_000, topicNames: ['t'] }
  expect(a.beat(whole).assignment?.[0]?.partitions).toEqual([0, 1, 2])
  expect(bench.state.phase).toBe('Stable')
})

test('a partition goes to another member when the one that has it has given it up', () => {
  const bench = benchWith(2)
  const a = new BenchMember(bench, 'a')
  const b = new BenchMember(bench, 'b')
  a.beat()
  expect(b.beat()).toMatchObject({ memberEpoch: 3, assignment: [] })
  expect(bench.state.phase).toBe('Reconciling')
  const told = bench.beat(beatOf('a', 2, { owned: a.owned }))
  expect(told).toMatchObject({ memberEpoch: 2 })
  expect(told.assignment?.[0]?.partitions).toHaveLength(1)
  // It has not said yet that it has given up the other.
  expect(b.beat().assignment).toBeNull()
  const given = bench.beat(beatOf('a', 2, { owned: told.assignment }))
  expect(given.memberEpoch).toBe(3)
  expect(b.beat().assignment?.[0]?.partitions).toHaveLength(1)
  expect(bench.state.phase).toBe('Stable')
})

test('who comes with an epoch not its own is fenced, but with the last one if it may be', () => {
  const bench = benchWith(2)
  const a = new BenchMember(bench, 'a')
  a.beat()
  expect(() => bench.beat(beatOf('a', 3))).toThrow(FencedMemberEpochError)
  expect(() => bench.beat(beatOf('a', 1))).toThrow(FencedMemberEpochError)
  expect(() => bench.beat(beatOf('x', 2))).toThrow(UnknownMemberError)
  bench.topics.set('t', 3)
  a.beat()
  // Its answer got lost.
  expect(bench.beat(beatOf('a', 2, { owned: [] })).memberEpoch).toBe(3)
  expect(() => bench.beat(beatOf('a', 2))).toThrow(FencedMemberEpochError)
})

test('a static member is back in its place, and no other takes it before', () => {
  const bench = benchWith(4)
  const a = new BenchMember(bench, 'a', { instanceId: 'one' })
  const b = new BenchMember(bench, 'b')
  for (let round = 0; round < 4; round++) for (const each of [a, b]) each.beat()
  const { epoch } = bench.state
  const { keys } = a
  expect(() => bench.beat(joinOf('a2', { instanceId: 'one' }))).toThrow(UnreleasedInstanceError)
  bench.detach('a')
  expect(bench.state.members.get('a')?.memberEpoch).toBe(-2)
  const again = new BenchMember(bench, 'a2', { instanceId: 'one' })
  again.beat()
  expect(again.keys).toEqual(keys)
  expect(bench.state.epoch).toBe(epoch)
  expect([...bench.state.members.keys()].sort()).toEqual(['a2', 'b'])
  expect(() => bench.beat(beatOf('a', 3, { instanceId: 'one' }))).toThrow(FencedInstanceError)
  expect(() => bench.beat(beatOf('a', 3, { instanceId: 'two' }))).toThrow(UnknownMemberError)
})

test('a group is not larger than it may be', () => {
  const bench = benchWith(1)
  bench.settings = { ...bench.settings, membersMax: 1 }
  const a = new BenchMember(bench, 'a')
  a.beat()
  expect(() => bench.beat(joinOf('b'))).toThrow(GroupFullError)
  expect(a.beat().memberEpoch).toBe(2)
})

test('a division stands for its time', () => {
  const bench = benchWith(2)
  bench.settings = { ...bench.settings, assignmentIntervalMs: 1_000 }
  const a = new BenchMember(bench, 'a')
  const b = new BenchMember(bench, 'b')
  a.beat()
  expect(b.beat()).toMatchObject({ memberEpoch: 2, assignment: [] })
  expect(bench.state.phase).toBe('Assigning')
  bench.nowMs += 1_000
  expect(b.beat().memberEpoch).toBe(3)
})

test('a regular expression is looked up, and its topics are read from then on', async () => {
  const bench = benchWith(1)
  bench.topics.set('orders.eu', 2)
  bench.topics.set('orders.us', 1)
  const a = new BenchMember(bench, 'a', { topicRegex: 'orders\\..*' })
  expect(a.beat()).toMatchObject({ memberEpoch: 1, assignment: [] })
  await bench.lookUp()
  a.beat({ rebalanceTimeoutMs: 60_000, topicNames: [] })
  expect(a.keys).toHaveLength(3)
  // It is joined to names; and is gone with the last that has it.
  a.beat({ topicNames: ['t'] })
  expect(a.keys).toHaveLength(4)
  a.beat({ topicRegex: '' })
  a.beat()
  expect(a.keys).toHaveLength(1)
  expect(bench.state.expressions.size).toBe(0)
  expect(() => a.beat({ topicRegex: '(' })).toThrow(InvalidExpressionError)
  expect(() => a.beat({ topicRegex: '((a{900}){900}){900}' })).toThrow(InvalidExpressionError)
})

test('what a member reads no more is others’, also if it reads nothing instead', async () => {
  const bench = benchWith(1)
  bench.topics.set('orders.eu', 1)
  bench.topics.set('orders.us', 1)
  const a = new BenchMember(bench, 'a', { topicRegex: 'orders\\..*' })
  const b = new BenchMember(bench, 'b', { topicRegex: 'orders\\..*' })
  a.beat()
  b.beat()
  await bench.lookUp()
  for (let round = 0; round < 4; round++) for (const each of [a, b]) each.beat()
  expect([a.keys.length, b.keys.length]).toEqual([1, 1])
  b.beat({ topicRegex: 'nothing' })
  await bench.lookUp()
  for (let round = 0; round < 4; round++) for (const each of [a, b]) each.beat()
  expect([a.keys.length, b.keys.length]).toEqual([2, 0])
})

test('a topic that is deleted and made again is another one', () => {
  const bench = benchWith(2)
  const a = new BenchMember(bench, 'a')
  a.beat()
  const before = a.keys
  bench.topics.delete('t')
  for (let round = 0; round < 3; round++) a.beat()
  expect(a.keys).toEqual([])
  bench.topics.set('t', 2)
  for (let round = 0; round < 3; round++) a.beat()
  expect(a.keys).toHaveLength(2)
  expect(a.keys).not.toEqual(before)
})

type Step =
  | { readonly kind: 'beat' | 'fence' | 'rejoin' | 'lost'; readonly member: number }
  | { readonly kind: 'subscribe'; readonly member: number; readonly topics: number }
  | { readonly kind: 'topic'; readonly topic: number; readonly partitions: number }

const member = fc.integer({ min: 0, max: 4 })
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('beat' as const), member }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('fence' as const), member }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('rejoin' as const), member }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('lost' as const), member }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('subscribe' as const),
        member,
        topics: fc.integer({ min: 0, max: 7 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('topic' as const),
        topic: fc.integer({ min: 0, max: 2 }),
        partitions: fc.integer({ min: 0, max: 6 }),
      }),
    },
  ),
  { maxLength: 120 },
)

/** Members that come, go, read other topics and lose answers; and what never may be. */
class Play {
  readonly bench = new ConsumerGroupBench()
  readonly members = new Map<number, BenchMember>()
  readonly unsure = new Set<number>()
  readonly subscriptions = new Map<number, string[]>()
  readonly #assignor: string
  #made = 0

  constructor(assignor: string) {
    this.#assignor = assignor
    for (let topic = 0; topic < 3; topic++) this.bench.topics.set(`t${topic}`, topic + 1)
  }

  do(step: Step): void {
    if (step.kind === 'topic') {
      const name = `t${step.topic}`
      const before = this.bench.topics.find(name)?.partitionCount ?? 0
      // Partitions are only ever added; none is a topic that is deleted.
      if (step.partitions === 0) this.bench.topics.delete(name)
      else this.bench.topics.set(name, Math.max(before, step.partitions))
      return
    }
    const number = step.member
    if (step.kind === 'fence' || step.kind === 'rejoin') {
      const gone = this.members.get(number)
      if (gone === undefined) return
      this.members.delete(number)
      if (step.kind === 'fence') this.bench.fence(gone.memberId)
      else {
        // It has forgotten everything, and joins under its id.
        const again = this.#newMember(number, gone.memberId)
        again.beat({ topicNames: this.#topicsOf(number) })
      }
      return
    }
    if (step.kind === 'subscribe') {
      const names = [0, 1, 2].filter((each) => step.topics & (1 << each)).map((each) => `t${each}`)
      this.subscriptions.set(number, names)
      const known = this.members.get(number)
      if (known !== undefined) this.#fenceable(known, () => known.beat({ topicNames: names }))
      return
    }
    const known = this.members.get(number)
    if (known === undefined) {
      this.#newMember(number, `m${++this.#made}`).beat({ topicNames: this.#topicsOf(number) })
    } else if (step.kind === 'beat') this.#beat(number, known)
    else {
      // As a client does that got no answer, it says everything the next time.
      const { memberId, epoch, owned } = known
      if (epoch === 0) return
      this.#fenceable(known, () => this.bench.beat(beatOf(memberId, epoch, { owned })))
      this.unsure.add(number)
    }
  }

  check(): void {
    const owners = new Map<string, string>()
    for (const each of this.members.values()) {
      for (const key of each.keys) {
        expect(owners.get(key), `${key} is with two`).toBeUndefined()
        owners.set(key, each.memberId)
      }
    }
    const noted = new Map<string, string>()
    for (const { memberId, assigned, revoking } of this.bench.state.members.values()) {
      for (const [topicId, partitions] of [...assigned, ...revoking]) {
        for (const partition of partitions.keys()) {
          expect(noted.get(`${topicId}:${partition}`)).toBeUndefined()
          noted.set(`${topicId}:${partition}`, memberId)
        }
      }
    }
  }

  settle(): void {
    for (let round = 0; round < 12; round++) {
      for (const [number, each] of this.members) this.#beat(number, each)
    }
  }

  /** Everything that somebody reads, by topic id and partition. */
  wanted(): string[] {
    const wanted = new Set<string>()
    for (const number of this.members.keys()) {
      for (const name of this.#topicsOf(number)) {
        const topic = this.bench.topics.find(name)
        for (let each = 0; each < (topic?.partitionCount ?? 0); each++) {
          wanted.add(`${topic?.topicId}:${each}`)
        }
      }
    }
    return [...wanted].sort()
  }

  #beat(number: number, known: BenchMember): void {
    const isUnsure = this.unsure.delete(number)
    const whole = { rebalanceTimeoutMs: 60_000, topicNames: this.#topicsOf(number) }
    const said = isUnsure || known.epoch === 0 ? whole : {}
    this.#fenceable(known, () => known.beat(said))
  }

  /** Who has lost more than one answer may be fenced: it gives up everything, and joins again. */
  #fenceable(known: BenchMember, beat: () => unknown): void {
    try {
      beat()
    } catch (error) {
      if (!(error instanceof FencedMemberEpochError)) throw error
      known.epoch = 0
      known.owned = []
    }
  }

  #topicsOf(number: number): string[] {
    return this.subscriptions.get(number) ?? ['t0', 't1']
  }

  #newMember(number: number, memberId: string): BenchMember {
    const made = new BenchMember(this.bench, memberId, { serverAssignor: this.#assignor })
    this.members.set(number, made)
    return made
  }
}

test.each(['uniform', 'range'])(
  'with %s no partition is ever with two, all are dealt out in the end, and epochs only rise',
  (assignor) => {
    fc.assert(
      fc.property(steps, (all) => {
        const play = new Play(assignor)
        let epoch = 0
        for (const step of all) {
          const before = new Map([...play.members].map(([number, each]) => [number, each]))
          const epochs = new Map([...before].map(([number, each]) => [number, each.epoch]))
          play.do(step)
          play.check()
          expect(play.bench.state.epoch).toBeGreaterThanOrEqual(epoch)
          epoch = play.bench.state.epoch
          for (const [number, each] of play.members) {
            if (before.get(number) !== each || each.epoch === 0) continue
            expect(each.epoch).toBeGreaterThanOrEqual(epochs.get(number) ?? 0)
          }
        }
        play.settle()
        play.check()
        const dealt = [...play.members.values()].flatMap((each) => each.keys).sort()
        expect(dealt).toEqual(play.wanted())
        if (play.members.size > 0) expect(play.bench.state.phase).toBe('Stable')
        // What was noted says the same again.
        const replayed = new ConsumerGroupState()
        for (const record of play.bench.records) replayed.apply(record)
        expect(replayed.members).toEqual(play.bench.state.members)
        expect(replayed.epoch).toBe(play.bench.state.epoch)
      }),
      { numRuns: 150 },
    )
  },
)
