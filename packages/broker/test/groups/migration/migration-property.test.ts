import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { cooperativeStickyAssignor } from '../../../src/groups/assigning/cooperative-sticky-assignor.ts'
import { rangeAssignor } from '../../../src/groups/assigning/range-assignor.ts'
import type { GroupMigrationPolicy } from '../../../src/groups/consumer/group-migration-policy.ts'
import { OffsetStore } from '../../../src/groups/offset-store.ts'
import { type BenchClient, MigrationBench } from './migration-bench.ts'
import { ClassicClient, ConsumerClient, LocalClient } from './migration-clients.ts'

const clientsMax = 5
const partitions = 7
const steps = 25

/** One life of a group: members of all kinds come, go, die and are bounced; so does the server. */
class Life {
  readonly #random: Random
  readonly #bench: MigrationBench
  readonly #assignor: typeof rangeAssignor
  readonly #isSeenBoth = new Set<string>()
  #made = 0

  constructor(random: Random, bench: MigrationBench) {
    this.#random = random
    this.#bench = bench
    this.#assignor = random.bool() ? rangeAssignor : cooperativeStickyAssignor
  }

  get types(): ReadonlySet<string> {
    return this.#isSeenBoth
  }

  #start(): void {
    const name = `m${++this.#made}`
    const kind = this.#random.int(3)
    const instanceId = this.#freeName()
    if (kind === 0) new ConsumerClient(this.#bench, name, instanceId).begin()
    else if (kind === 1) {
      new ClassicClient(this.#bench, name, this.#assignor, instanceId).begin()
    } else new LocalClient(this.#bench, name, this.#assignor, instanceId)
  }

  /** Of a static member that is not there now; null for a dynamic one. */
  #freeName(): string | null {
    if (this.#random.bool(0.6)) return null
    const clients = [...this.#bench.clients.values()]
    const taken = new Set(clients.map(({ instanceId }) => instanceId))
    return ['one', 'two'].find((each) => !taken.has(each)) ?? null
  }

  async step(): Promise<void> {
    const random = this.#random
    const bench = this.#bench
    const clients = [...bench.clients.values()]
    const one: BenchClient | undefined = clients.length === 0 ? undefined : random.pick(clients)
    const action = random.int(10)
    if (one === undefined || (action < 3 && clients.length < clientsMax)) this.#start()
    else if (action < 5) await bench.until(one.stop())
    else if (action < 7) {
      // Bounced: another of whatever kind comes in its place.
      const stopping = one.stop()
      if (random.bool()) await bench.until(stopping)
      this.#start()
      await bench.until(stopping)
    } else if (action === 7 && !one.isLocal) {
      one.kill()
      await bench.pass(50)
    } else if (action === 8) await bench.restart()
    else await bench.turns(random.int(8))
    if (random.bool(0.3)) await bench.settled()
    const { type } = bench
    if (type !== undefined && bench.size > 0) this.#isSeenBoth.add(type)
  }
}

async function live(random: Random, policy: GroupMigrationPolicy): Promise<ReadonlySet<string>> {
  const bench = await MigrationBench.open(partitions, { migrationPolicy: policy })
  try {
    const life = new Life(random, bench)
    for (let step = 0; step < steps; step++) {
      await life.step()
      expect(bench.errors).toEqual([])
    }
    await bench.settled()
    expect(bench.errors).toEqual([])
    // The log alone says the same.
    await bench.turns(20)
    expect(bench.shown(await OffsetStore.load(bench.log))).toEqual(bench.shown())
    return life.types
  } finally {
    await bench.close()
  }
}

test('of members of both protocols one has a partition at a time, none is left out', async () => {
  const seed = seedFromEnvironment('groups that change their protocol')
  const random = new Random(seed)
  const seen = new Set<string>()
  for (let round = 0; round < 8; round++) {
    const policy = random.bool(0.8) ? 'bidirectional' : 'upgrade'
    try {
      for (const type of await live(random.fork(), policy)) seen.add(type)
    } catch (error) {
      throw new Error(`VARVE_SEED=${seed}, round ${round}`, { cause: error })
    }
  }
  expect([...seen].sort()).toEqual(['classic', 'consumer'])
})
