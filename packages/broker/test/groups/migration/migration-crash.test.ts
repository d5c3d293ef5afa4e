import {
  crashVariants,
  describeVariant,
  Random,
  SimulatedFileSystem,
  seedFromEnvironment,
} from '@varve/log/testing'
import { expect, test } from 'vitest'
import { rangeAssignor } from '../../../src/groups/assigning/range-assignor.ts'
import { OffsetStore } from '../../../src/groups/offset-store.ts'
import { openOffsets } from '../group-fixture.ts'
import { MigrationBench } from './migration-bench.ts'
import { ClassicClient, ConsumerClient } from './migration-clients.ts'

/** Which protocol a group is of in a store, and how many members it has: never of both. */
function kindIn(store: OffsetStore): string {
  const state = store.consumerGroup('g')
  const metadata = store.metadata('g')
  if (state !== null && metadata !== null) return 'of both protocols'
  if (state === null) return metadata === null ? 'none' : `classic ${metadata.members.length}`
  // A group that is there in part would have members without what they have, or the other way.
  const { members, targets } = state
  const isWhole = [...targets.keys()].every((each) => members.has(each))
  const hasEpoch = [...members.values()].every(({ memberEpoch }) => memberEpoch <= state.epoch)
  return isWhole && hasEpoch && state.epoch > 1 ? `consumer ${members.size}` : 'in part'
}

/** A group of two classic members, then one of each, and back. */
async function change(fs: SimulatedFileSystem): Promise<readonly [from: number, to: number]> {
  const bench = await MigrationBench.open(3, {}, fs)
  try {
    new ClassicClient(bench, 'a', rangeAssignor).begin()
    await bench.settled()
    const from = fs.operations
    const fresh = new ConsumerClient(bench, 'b').begin()
    await bench.settled(() => Object.keys(bench.shares).length === 2)
    await fresh.stop()
    await bench.settled()
    expect(bench.errors).toEqual([])
    return [from, fs.operations]
  } finally {
    await bench.close()
  }
}

function leftOf(fs: SimulatedFileSystem, at: number, random: Random) {
  if (random.bool(0.4)) return { left: fs.killState(at), how: 'killed' }
  const variant = random.pick(crashVariants(random, 4))
  return { left: fs.crashState(at, variant), how: describeVariant(variant) }
}

test('wherever a change of the protocol is cut off, a group is of one of them', async () => {
  const seed = seedFromEnvironment('crashes of groups that change their protocol')
  const random = new Random(seed)
  const fs = new SimulatedFileSystem()
  const [from, to] = await change(fs)
  const kinds = new Set<string>()
  for (let at = from; at <= to; at++) {
    const { left, how } = leftOf(fs, at, random)
    await using place = await openOffsets(left)
    const kind = kindIn(await OffsetStore.load(place.log))
    expect(kind, `VARVE_SEED=${seed} ${how} after ${at}`).toMatch(/^(classic|consumer) [12]$/)
    kinds.add(kind)
  }
  expect([...kinds].sort()).toEqual(expect.arrayContaining(['classic 1', 'consumer 2']))
})
