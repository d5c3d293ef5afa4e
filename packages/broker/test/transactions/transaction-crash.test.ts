import {
  crashVariants,
  describeVariant,
  ManualClock,
  Random,
  SimulatedFileSystem,
  seedFromEnvironment,
} from '@varve/log/testing'
import { expect, test } from 'vitest'
import { dataPath, newMachine, valuesOf } from '../broker-fixture.ts'
import { openTransactions, type Transactions } from './transaction-fixture.ts'

const topics = ['a', 'b', 'c']

/** What a transaction wrote, and when its outcome became certain. */
interface Attempt {
  readonly name: string
  readonly topics: readonly string[]
  readonly offset: number
  readonly began: number
  /** Operations of the file system when it was told to be decided; infinite when it never was. */
  ended: number
  outcome: 'commit' | 'abort' | 'open'
}

/** Two producers take turns; their transactions are committed, aborted and left open. */
async function runTransactions(
  opened: Transactions,
  fs: SimulatedFileSystem,
  random: Random,
): Promise<readonly Attempt[]> {
  const attempts: Attempt[] = []
  const producers = [opened.producer('p'), opened.producer('q')]
  for (let round = 0; round < 5; round++) {
    const work = producers.map(async (producer, index) => {
      const chosen = random.shuffle(topics).slice(0, random.between(1, 3))
      const outcome = random.pick(['commit', 'commit', 'abort'] as const)
      const attempt: Attempt = {
        name: `t${index}-${round}`,
        topics: chosen,
        offset: round + 1,
        began: fs.operations,
        ended: Number.POSITIVE_INFINITY,
        outcome: round === 4 ? 'open' : outcome,
      }
      attempts.push(attempt)
      const transaction = await producer.begin()
      for (const topic of chosen) {
        await transaction.send(topic, { value: attempt.name }, { partition: 0 })
      }
      await transaction.sendOffsets(`g${index}`, [{ topic: 'a', partition: 0, offset: round + 1 }])
      if (attempt.outcome === 'open') return
      if (attempt.outcome === 'commit') await transaction.commit()
      else await transaction.abort()
      attempt.ended = fs.operations
    })
    await Promise.all(work)
  }
  return attempts
}

/**
 * @param variants random ways to lose what was not flushed, for each moment
 * @param share of all states that is opened
 */
export async function checkTransactionCrashes(
  seed: number,
  variants: number,
  share: number,
): Promise<number> {
  const random = new Random(seed)
  const clock = new ManualClock()
  const fs = new SimulatedFileSystem({ clock, seed, turnsMax: 3 })
  fs.makeDirectories(dataPath)
  const opened = await openTransactions({ fs, clock })
  for (const topic of topics) await opened.topics.create(topic, 1, {})
  const start = fs.operations
  const attempts = await runTransactions(opened, fs, random)
  const end = fs.operations
  let states = 0
  for (let at = start; at <= end; at++) {
    for (const variant of crashVariants(random, variants)) {
      if (!random.bool(share)) continue
      const what = `VARVE_SEED=${seed} operation ${at}, ${describeVariant(variant)}`
      const crashed = fs.crashState(at, variant)
      await checkState(crashed, attempts, at, random.bool(0.2), what)
      states++
    }
  }
  await opened.close()
  return states
}

/** @param isTwice whether the power goes a second time, within the opening */
async function checkState(
  fs: SimulatedFileSystem,
  attempts: readonly Attempt[],
  at: number,
  isTwice: boolean,
  what: string,
): Promise<void> {
  const opened = await openTransactions(newMachine(fs)).catch((cause: unknown) => {
    throw new Error(`${what}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  })
  if (isTwice) {
    const middle = Math.floor(fs.operations / 2)
    const again = fs.crashState(middle, 'none')
    await opened.close()
    return checkState(again, attempts, at, false, `${what}, and again at ${middle}`)
  }
  const before = await seenBy(opened)
  // The producers come back: what they had left open is aborted, and nobody is held up.
  for (const id of ['p', 'q']) await opened.producer(id).start()
  const after = await seenBy(opened)
  for (const [index, values] of before.values.entries()) {
    expect(after.values[index]?.slice(0, values.length), what).toEqual(values)
  }
  checkSeen(after, attempts, at, what)
  for (const topic of topics) {
    const { log } = opened.topics.topic(topic).partition(0)
    expect(log.lastStableOffset, what).toBe(log.highWatermark)
  }
  const producer = opened.producer('p')
  await producer.transaction(async (transaction) => {
    for (const topic of topics) await transaction.send(topic, { value: 'after' }, { partition: 0 })
  })
  for (const values of (await seenBy(opened)).values) expect(values.at(-1), what).toBe('after')
  await opened.close()
}

interface Seen {
  /** Of each topic, what a reader of committed records sees. */
  readonly values: ReadonlyArray<readonly string[]>
  readonly offsets: ReadonlyArray<number | null>
}

async function seenBy(opened: Transactions): Promise<Seen> {
  const reads = topics.map((topic) => {
    return valuesOf(opened.topics.topic(topic).partition(0).log, 'committed')
  })
  const values = await Promise.all(reads)
  const offsets = await Promise.all(['g0', 'g1'].map((group) => opened.committed(group, 'a')))
  return { values, offsets }
}

function checkSeen(
  { values, offsets }: Seen,
  attempts: readonly Attempt[],
  at: number,
  what: string,
): void {
  const latest: Array<number | null> = [null, null]
  for (const attempt of attempts) {
    const about = `${what}: ${attempt.name}, ${attempt.outcome}`
    const counts = topics.map((_, index) => {
      return values[index]?.filter((value) => value === attempt.name).length ?? 0
    })
    const isSeen = counts.some((count) => count > 0)
    const everywhere = topics.map((topic) => (attempt.topics.includes(topic) ? 1 : 0))
    expect(counts, about).toEqual(isSeen ? everywhere : [0, 0, 0])
    if (attempt.outcome !== 'commit') expect(isSeen, about).toBe(false)
    else if (attempt.ended <= at) expect(isSeen, about).toBe(true)
    if (isSeen) latest[Number(attempt.name[1])] = attempt.offset
  }
  expect(offsets, what).toEqual(latest)
}

test('after a power cut every transaction counts everywhere, or nowhere', async () => {
  const seed = seedFromEnvironment('crashes of transactions')
  expect(await checkTransactionCrashes(seed, 2, 0.06)).toBeGreaterThan(30)
})
