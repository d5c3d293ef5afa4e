import {
  crashVariants,
  describeVariant,
  ManualClock,
  Random,
  SimulatedFileSystem,
  seedFromEnvironment,
} from '@varve/log/testing'
import { expect, test } from 'vitest'
import { GroupCoordinator } from '../../../src/groups/group-coordinator.ts'
import { GroupError } from '../../../src/groups/group-errors.ts'
import { OffsetStore } from '../../../src/groups/offset-store.ts'
import { openOffsets } from '../group-fixture.ts'
import { BenchTopics, beatOf, benchSettings, joinOf } from './consumer-group-bench.ts'

/** A group as it was when so many operations had been done; asked for before. */
interface Moment {
  readonly shown: string
  readonly asked: number
  readonly promised: number
}

function shownIn(store: OffsetStore): string {
  const state = store.consumerGroup('g')
  if (state === null) return 'none'
  const members = [...state.members.values()].map(({ memberId, memberEpoch, ...of }) => {
    const parts = [of.assigned, of.revoking].map((all) =>
      [...all].map(([topicId, partitions]) => [topicId, [...partitions]]),
    )
    return [memberId, memberEpoch, of.state, of.topicNames, parts]
  })
  return JSON.stringify([state.epoch, state.targetEpoch, members.sort()])
}

/** Members come, go, beat and read other topics; each step is answered before the next. */
async function live(random: Random, fs: SimulatedFileSystem): Promise<readonly Moment[]> {
  await using place = await openOffsets(fs, new ManualClock())
  const store = await OffsetStore.load(place.log)
  const topics = new BenchTopics()
  for (const name of ['t', 'u']) topics.set(name, 3)
  const { clock } = place
  const coordinator = new GroupCoordinator([store], {
    ...{ clock, topics, newId: () => 'id', partitionCount: () => 3 },
  })
  const circumstances = { settings: benchSettings, isVisible: () => true }
  const moments: Moment[] = [{ shown: 'none', asked: fs.operations, promised: fs.operations }]
  const epochs = new Map<string, number>()
  for (let step = 0; step < 30; step++) {
    const memberId = `m${random.int(4)}`
    const epoch = epochs.get(memberId)
    const names = random.bool(0.3) ? { topicNames: random.bool() ? ['t'] : ['t', 'u'] } : {}
    const isLeaving = epoch !== undefined && random.bool(0.15)
    const request =
      epoch === undefined
        ? joinOf(memberId, names)
        : beatOf(memberId, isLeaving ? -1 : epoch, names)
    const asked = fs.operations
    const owned = random.bool() ? [] : null
    try {
      const beat = { ...request, owned: request.memberEpoch === 0 ? [] : owned }
      const { memberEpoch } = await coordinator.consumers.heartbeat(beat, circumstances)
      if (isLeaving) epochs.delete(memberId)
      else epochs.set(memberId, memberEpoch)
    } catch (error) {
      if (!(error instanceof GroupError)) throw error
      epochs.delete(memberId)
    }
    moments.push({ shown: shownIn(store), asked, promised: fs.operations })
  }
  coordinator.close()
  return moments
}

test('after any crash a group is as it was told last, or as it was about to be', async () => {
  const seed = seedFromEnvironment('crashes of consumer groups')
  const random = new Random(seed)
  let opened = 0
  for (let round = 0; round < 3; round++) {
    const fs = new SimulatedFileSystem()
    const moments = await live(random.fork(), fs)
    for (let at = moments[0]?.promised ?? 0; at <= fs.operations; at++) {
      if (!random.bool(0.3)) continue
      const variant = random.pick(crashVariants(random, 4))
      const isKill = random.bool(0.3)
      const left = isKill ? fs.killState(at) : fs.crashState(at, variant)
      await using place = await openOffsets(left)
      const found = shownIn(await OffsetStore.load(place.log))
      const last = moments.findLastIndex(({ promised }) => promised <= at)
      const possible = moments.slice(last).filter(({ asked }) => asked <= at)
      const what = `VARVE_SEED=${seed} ${isKill ? 'kill' : describeVariant(variant)} after ${at}`
      expect(
        [moments[last], ...possible].map((each) => each?.shown),
        what,
      ).toContain(found)
      opened++
    }
  }
  expect(opened).toBeGreaterThan(20)
})
