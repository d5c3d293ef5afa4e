import {
  crashVariants,
  describeVariant,
  ManualClock,
  Random,
  SimulatedFileSystem,
  seedFromEnvironment,
} from '@varve/log/testing'
import { expect, test } from 'vitest'
import type { Topics } from '../../src/topics/topics.ts'
import { dataPath, newMachine, openTopics, turns } from '../broker-fixture.ts'

type Change = readonly [string, (topics: Topics) => Promise<unknown>]

const changes: readonly Change[] = [
  ['create a', (topics) => topics.create('a', 3, { retentionMs: 5 })],
  ['create b', (topics) => topics.create('b', 1, {})],
  ['alter a', (topics) => topics.alter('a', { retentionMs: 6, segmentBytes: 2000 })],
  ['grow a', (topics) => topics.grow('a', 5)],
  ['delete b', (topics) => topics.delete('b')],
  ['create b anew at once', (topics) => topics.create('b', 2, { cleanupPolicy: 'compact' })],
  ['take producer ids', (topics) => topics.takeProducerIds()],
  ['create c', (topics) => topics.create('c', 2, { fileDeleteDelayMs: 10 })],
  ['delete c', (topics) => topics.delete('c')],
  ['create c anew', (topics) => topics.create('c', 1, {})],
  ['delete a', (topics) => topics.delete('a')],
  // While the files of the first ones are being removed.
  ['delete b anew', (topics) => topics.delete('b')],
  ['take producer ids again', (topics) => topics.takeProducerIds()],
]

/** All that is known of all topics, and that every partition of them is whole. */
function stateOf(topics: Topics): unknown {
  return topics.all
    .map((topic) => topic.describe())
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, topicId, settings, partitions }) => {
      for (const { error } of partitions) expect(error).toBeNull()
      return { name, topicId, settings, partitions: partitions.length }
    })
}

function leftOver(fs: SimulatedFileSystem): string[] {
  return fs.list(dataPath).filter((name) => name.endsWith('-delete'))
}

/**
 * @param variants random ways to lose what was not flushed, for each moment
 * @param share of all states that is opened
 */
export async function checkTopicCrashes(
  seed: number,
  variants: number,
  share: number,
): Promise<number> {
  const random = new Random(seed)
  const clock = new ManualClock()
  const fs = new SimulatedFileSystem({ clock, seed, turnsMax: 3 })
  fs.makeDirectories(dataPath)
  const topics = await openTopics({ fs, clock })
  const states = [stateOf(topics)]
  const ends = [fs.operations]
  for (const [, change] of changes) {
    await change(topics)
    clock.advance(random.between(1, 50_000))
    states.push(stateOf(topics))
    ends.push(fs.operations)
  }
  clock.advance(60_000)
  await turns()
  expect(leftOver(fs)).toEqual([])
  ends.push(fs.operations)
  states.push(stateOf(topics))
  await topics.close()
  let opened = 0
  for (let at = ends[0] ?? 0; at <= (ends.at(-1) ?? 0); at++) {
    const done = ends.findLastIndex((end) => end <= at)
    const possible = states.slice(done, done + 2)
    for (const variant of crashVariants(random, variants)) {
      if (!random.bool(share)) continue
      const what = `${changes[done]?.[0]}, operation ${at}, ${describeVariant(variant)}`
      await checkState(fs.crashState(at, variant), possible, `VARVE_SEED=${seed} ${what}`)
      opened++
    }
  }
  return opened
}

async function checkState(
  fs: SimulatedFileSystem,
  possible: readonly unknown[],
  what: string,
): Promise<void> {
  const first = await openTopics(newMachine(fs)).catch((cause: unknown) => {
    throw new Error(`${what}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  })
  const found = stateOf(first)
  expect(possible, what).toContainEqual(found)
  // And what was found stays, however soon the power goes again.
  const again = fs.crashState(fs.operations, 'none')
  await first.close()
  for (const next of [again, fs]) {
    const second = await openTopics(newMachine(next))
    expect(stateOf(second), what).toEqual(found)
    await second.close()
    expect(leftOver(next), what).toEqual([])
  }
}

test('a power cut leaves all or nothing of every change to topics', async () => {
  const seed = seedFromEnvironment('crashes of topics')
  expect(await checkTopicCrashes(seed, 2, 0.08)).toBeGreaterThan(50)
})
