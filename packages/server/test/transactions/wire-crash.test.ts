import {
  type CrashVariant,
  crashVariants,
  describeVariant,
  ManualClock,
  Random,
  SimulatedFileSystem,
  seedFromEnvironment,
} from '@varve/log/testing'
import { expect, test } from 'vitest'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { HandlerClient } from '../handler-client.ts'
import { WireProducer } from './wire-producer.ts'

const topics = ['a', 'b', 'c']
const ids = ['p', 'q']
const rounds = 4

/** One request of a transaction; resolves with the code that was answered. */
interface Step {
  readonly run: (producer: WireProducer) => Promise<number | undefined>
  /** Operations of the file system when it was answered. */
  answered: number
}

/** What a producer did in a transaction, and how far it had come when. */
interface Attempt {
  readonly producer: number
  readonly name: string
  readonly topics: readonly string[]
  readonly offset: number
  readonly outcome: 'commit' | 'abort'
  readonly steps: readonly Step[]
  began: number
}

/** What became of an attempt in a life after a crash. */
type Fate = 'seen' | 'unseen' | 'either'

function attemptOf(
  producer: number,
  round: number,
  sequences: Map<string, number>,
  random: Random,
): Attempt {
  const name = `t${producer}-${round}`
  const chosen = random.shuffle(topics).slice(0, random.between(1, 3))
  const outcome = random.pick(['commit', 'commit', 'abort'] as const)
  const group = `g${producer}`
  const offset = round + 1
  const runs: Step['run'][] = []
  for (const topic of chosen) {
    const sequence = sequences.get(topic) ?? 0
    sequences.set(topic, sequence + 1)
    runs.push(async (wire) => (await wire.addPartitions(topic, [0]))[0])
    runs.push((wire) => wire.send(topic, 0, name, sequence))
  }
  runs.push((wire) => wire.addOffsets(group))
  runs.push((wire) => wire.commitOffset(group, { topic: 'a', partition: 0, offset }))
  runs.push((wire) => wire.end(outcome === 'commit'))
  const steps = runs.map((run) => ({ run, answered: Number.POSITIVE_INFINITY }))
  const began = Number.POSITIVE_INFINITY
  return { producer, name, topics: chosen, offset, outcome, steps, began }
}

/** Two producers take turns at whatever the file system lets go first. */
async function runAttempts(
  client: HandlerClient,
  fs: SimulatedFileSystem,
  producers: readonly WireProducer[],
  random: Random,
): Promise<readonly Attempt[]> {
  const attempts: Attempt[] = []
  const work = producers.map(async (wire, producer) => {
    const sequences = new Map<string, number>()
    for (let round = 0; round < rounds; round++) {
      const attempt = attemptOf(producer, round, sequences, random)
      attempts.push(attempt)
      attempt.began = fs.operations
      for (const step of attempt.steps) {
        expect(await step.run(wire), attempt.name).toBe(0)
        step.answered = fs.operations
      }
    }
  })
  await Promise.all(work)
  await client.varve.log('a', 0).flush()
  return attempts
}

/**
 * @param variants random ways to lose what was not flushed, for each moment
 * @param share of all states that is opened
 */
export async function checkWireCrashes(
  seed: number,
  variants: number,
  share: number,
): Promise<number> {
  const random = new Random(seed)
  const clock = new ManualClock()
  const fs = new SimulatedFileSystem({ clock, seed, turnsMax: 3 })
  await using client = await HandlerClient.open(fs, clock)
  for (const topic of topics) await client.varve.createTopic(topic)
  const producers = ids.map((id) => new WireProducer(client, id))
  for (const producer of producers) expect(await producer.init()).toBe(0)
  const start = fs.operations
  const attempts = await runAttempts(client, fs, producers, random)
  const end = fs.operations
  let states = 0
  for (let at = start; at <= end; at++) {
    for (const variant of crashVariants(random, variants)) {
      if (!random.bool(share)) continue
      const what = `VARVE_SEED=${seed} operation ${at}, ${describeVariant(variant)}`
      const life = { at, variant, attempts, producers, what }
      await checkLife(fs.crashState(at, variant), life, random)
      states++
    }
  }
  return states
}

interface Life {
  readonly at: number
  readonly variant: CrashVariant
  readonly attempts: readonly Attempt[]
  readonly producers: readonly WireProducer[]
  readonly what: string
}

/** The broker comes back; some producers have outlived the crash and go on, others are new. */
async function checkLife(fs: SimulatedFileSystem, life: Life, random: Random): Promise<void> {
  const { attempts, producers, at, what } = life
  await using client = await HandlerClient.open(fs)
  const fates = new Map(attempts.map((attempt) => [attempt, fateOf(attempt, at)]))
  for (const [index, { producerId, producerEpoch }] of producers.entries()) {
    const known = { producerId, producerEpoch }
    const wire = Object.assign(new WireProducer(client, ids[index] ?? ''), known)
    const current = attempts.findLast(({ producer, began }) => producer === index && began <= at)
    if (current !== undefined && random.bool(0.7)) {
      const fate = await goOn(wire, current, life)
      fates.set(current, fate ?? fates.get(current) ?? 'either')
    }
    expect(await wire.init(), what).toBe(0)
  }
  const seen = await seenBy(client, what)
  check(seen, fates, what)
  const last = new WireProducer(client, 'last')
  await last.init()
  for (const topic of topics) {
    expect(await last.addPartitions(topic, [0]), what).toEqual([0])
    expect(await last.send(topic, 0, 'after', 0), what).toBe(0)
  }
  expect(await last.end(true), what).toBe(0)
  for (const values of (await seenBy(client, what)).values) expect(values.at(-1)).toBe('after')
}

/** What is certain of an attempt whose producer does not come back. */
function fateOf({ outcome, steps, began }: Attempt, at: number): Fate {
  if (began > at || outcome === 'abort') return 'unseen'
  const isEnded = (steps.at(-1)?.answered ?? Number.POSITIVE_INFINITY) <= at
  if (isEnded) return 'seen'
  // The end may have been asked for, and decided, without an answer.
  return (steps.at(-2)?.answered ?? Number.POSITIVE_INFINITY) <= at ? 'either' : 'unseen'
}

/** The producer asks again what it had no answer to, and does the rest; null when it had ended. */
async function goOn(
  wire: WireProducer,
  { steps, outcome, name }: Attempt,
  { at, variant, what }: Life,
): Promise<Fate | null> {
  const rest = steps.filter(({ answered }) => answered > at)
  if (rest.length === 0) return null
  for (const [index, step] of rest.entries()) {
    const code = (await step.run(wire)) ?? errorCodes.UNKNOWN_SERVER_ERROR
    if (code === errorCodes.NONE) continue
    const about = `${what}: ${name}, ${rest.length - index} steps before its end`
    // The kernel kept everything: then nobody may notice anything.
    expect(variant, about).not.toBe('all')
    // That partitions were added is written, and not flushed: the producer has to begin anew.
    expect([errorCodes.INVALID_TXN_STATE, errorCodes.TRANSACTION_ABORTABLE], about).toContain(code)
    if (step !== rest.at(-1)) await wire.end(false)
    return 'unseen'
  }
  return outcome === 'commit' ? 'seen' : 'unseen'
}

interface Seen {
  /** Of each topic, what a reader of committed records sees. */
  readonly values: ReadonlyArray<readonly string[]>
  /** Of each producer's group. */
  readonly offsets: ReadonlyArray<number | null>
}

async function seenBy({ varve }: HandlerClient, what: string): Promise<Seen> {
  const values = topics.map(async (topic) => {
    const log = varve.log(topic, 0)
    expect(log.lastStableOffset, what).toBe(log.highWatermark)
    const found: string[] = []
    for await (const { value } of log.reader({ from: 0, isolation: 'committed' }).records()) {
      found.push(String(value))
    }
    return found
  })
  const groups = await varve.groups()
  const offsets = ids.map(async (_, index) => {
    const group = `g${index}`
    const store = groups.storeOf(group)
    await store.refresh()
    expect(store.hasPending(group), what).toBe(false)
    return store.committed(group, 'a', 0)?.offset ?? null
  })
  return { values: await Promise.all(values), offsets: await Promise.all(offsets) }
}

function check({ values, offsets }: Seen, fates: ReadonlyMap<Attempt, Fate>, what: string): void {
  const latest: Array<number | null> = ids.map(() => null)
  for (const [attempt, fate] of fates) {
    const about = `${what}: ${attempt.name}, ${attempt.outcome}, ${fate}`
    const counts = topics.map((_, index) => {
      return values[index]?.filter((value) => value === attempt.name).length ?? 0
    })
    const isSeen = counts.some((count) => count > 0)
    const everywhere = topics.map((topic) => (attempt.topics.includes(topic) ? 1 : 0))
    expect(counts, about).toEqual(isSeen ? everywhere : [0, 0, 0])
    if (fate !== 'either') expect(isSeen, about).toBe(fate === 'seen')
    if (isSeen) latest[attempt.producer] = attempt.offset
  }
  expect(offsets, what).toEqual(latest)
}

test('after a power cut transactions over the wire count everywhere or nowhere, and go on', async () => {
  const seed = seedFromEnvironment('crashes of transactions over the wire')
  expect(await checkWireCrashes(seed, 2, 0.015)).toBeGreaterThan(10)
})
