import { setTimeout as wait } from 'node:timers/promises'
import { errorNameOf } from '@varve/server'
import { findCoordinator } from '../../../packages/server/src/protocol/apis/find-coordinator.ts'
import { WireProducer } from '../../../packages/server/test/transactions/wire-producer.ts'
import type { WireClient } from '../../../packages/server/test/wire-client.ts'

/** What was asked, and the name of the code that was answered. */
export type ScriptLine = string

/** Versions before and after clients were told of fencing by a code of its own, and the newest. */
const eras = {
  before: { init: 3, addPartitions: 1, addOffsets: 1, commitOffsets: 2, end: 1, produce: 9 },
  after: { init: 4, addPartitions: 2, addOffsets: 2, commitOffsets: 3, end: 2, produce: 10 },
  newest: { init: 5, addPartitions: 3, addOffsets: 4, commitOffsets: 4, end: 4, produce: 11 },
} as const

/** A cluster that has just been asked for its first transaction, or ends another one. */
const passing = new Set([
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'CONCURRENT_TRANSACTIONS',
  'NOT_ENOUGH_REPLICAS',
])
const tries = 100
const pauseMs = 100

/**
 * A life of transactional producers, right and wrong, with what each request is answered. Topic `t`
 * has one partition.
 */
export async function runTransactionScript(client: WireClient): Promise<readonly ScriptLine[]> {
  for (const keyType of [0, 1]) {
    await until(async () => {
      const answer = await client.call(findCoordinator, 2, {
        key: 'x',
        keyType,
        coordinatorKeys: [],
      })
      return answer.errorCode
    })
  }
  const lines: ScriptLine[] = []
  for (const era of ['before', 'after', 'newest'] as const) {
    await runEra(client, era, async (what, ask) => {
      lines.push(`${era}: ${what}: ${await until(ask)}`)
    })
  }
  return lines
}

type Tell = (what: string, ask: () => Promise<number | undefined>) => Promise<void>

async function runEra(client: WireClient, era: keyof typeof eras, tell: Tell): Promise<void> {
  const made = (id: string): WireProducer => new WireProducer(client, `${id}-${era}`, eras[era])
  const one = made('p')
  const place = { topic: 't', partition: 0 }
  const group = `g-${era}`
  await tell('an id without a name', () => new WireProducer(client, '', eras[era]).init())
  await tell('a time-out too long', () => one.init(3_600_001))
  await tell('a time-out of nothing', () => one.init(0))
  await tell('a producer begins', () => one.init())
  await tell('ending nothing', () => one.end(true))
  await tell('a partition that is not there', () => first(one.addPartitions('t', [7])))
  await tell('one of two is not there', () => first(one.addPartitions('t', [0, 7])))
  await tell('an internal topic', () => first(one.addPartitions('__consumer_offsets', [0])))
  await tell('a batch without a transaction', () => one.send('t', 0, 'early', 0))
  await tell('offsets without a transaction', () =>
    one.commitOffset(group, { ...place, offset: 1 }),
  )
  await tell('a partition joins', () => first(one.addPartitions('t', [0])))
  await tell('it joins again', () => first(one.addPartitions('t', [0])))
  await tell('a batch', () => one.send('t', 0, 'a', 0))
  await tell('the batch again', () => one.send('t', 0, 'a', 0))
  await tell('a batch too far', () => one.send('t', 0, 'c', 2))
  await tell('offsets join', () => one.addOffsets(group))
  await tell('offsets', () => one.commitOffset(group, { ...place, offset: 1 }))
  await tell('offsets elsewhere', () =>
    one.commitOffset(group, { ...place, partition: 7, offset: 1 }),
  )
  const long = 'x'.repeat(5000)
  await tell('long metadata', () => one.commitOffset(group, { ...place, offset: 1 }, {}, long))
  if (era !== 'before') {
    const stranger = { memberId: 'm', generationId: 3 }
    await tell('a stranger', () =>
      one.commitOffset(`${group}-2`, { ...place, offset: 1 }, stranger),
    )
  }
  await tell('no group', () => one.commitOffset('', { ...place, offset: 1 }))
  await tell('a commit', () => one.end(true))
  await tell('the commit again', () => one.end(true))
  await tell('an abort after it', () => one.end(false))
  await tell('a batch after the end', () => one.send('t', 0, 'late', 1))
  await tell('the next transaction', () => first(one.addPartitions('t', [0])))
  await tell('an abort', () => one.end(false))
  await tell('the abort again', () => one.end(false))
  await tell('a commit after it', () => one.end(true))
  await runFencing(one, made, tell)
}

async function runFencing(
  one: WireProducer,
  made: (id: string) => WireProducer,
  tell: Tell,
): Promise<void> {
  await tell('another epoch', () => one.init(60_000, true))
  const { producerId, producerEpoch } = one
  const retry = Object.assign(made('p'), { producerId, producerEpoch: producerEpoch - 1 })
  await tell('asked for again', () => retry.init(60_000, true))
  const newer = made('p')
  await tell('a newer one', () => newer.init())
  await tell('the older adds', () => first(one.addPartitions('t', [0])))
  await tell('the older adds offsets', () => one.addOffsets('g'))
  await tell('the older ends', () => one.end(true))
  await tell('the older goes on', () => one.init(60_000, true))
  const group = 'g-fenced'
  const offset = { topic: 't', partition: 0, offset: 1 }
  await tell('the older commits offsets', () => one.commitOffset(group, offset))
  await tell('the older sends', () => one.send('t', 0, 'z', 0))
  const other = Object.assign(made('p'), { producerId: producerId + 1_000_000, producerEpoch: 0 })
  await tell('another id adds', () => first(other.addPartitions('t', [0])))
  await tell('another id ends', () => other.end(false))
  await tell('another id goes on', () => other.init(60_000, true))
  await tell('another id sends', () => other.send('t', 0, 'z', 0))
  const unknown = Object.assign(made('unknown'), { producerId, producerEpoch: 0 })
  await tell('nobody adds', () => first(unknown.addPartitions('t', [0])))
  await tell('nobody adds offsets', () => unknown.addOffsets('g'))
  await tell('nobody ends', () => unknown.end(true))
  await tell('nobody commits offsets', () => unknown.commitOffset(group, offset))
  await tell('nobody sends', () => unknown.send('t', 0, 'z', 0))
}

/** The first code that says something: of several partitions, that of the first. */
async function first(codes: Promise<readonly number[]>): Promise<number | undefined> {
  return (await codes)[0]
}

/** Asks until what is answered does not pass by itself. */
async function until(ask: () => Promise<number | undefined>): Promise<string> {
  let name = ''
  for (let round = 0; round < tries; round++) {
    const code = await ask()
    name = code === undefined ? 'nothing' : (errorNameOf(code) ?? String(code))
    if (!passing.has(name)) break
    await wait(pauseMs)
  }
  return name
}
