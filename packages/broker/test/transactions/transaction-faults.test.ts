import { ManualClock, Random, SimulatedFileSystem, seedFromEnvironment } from '@varve/log/testing'
import { VarveError } from '@varve/record'
import { expect, test } from 'vitest'
import { TransactionPendingError } from '../../src/transactions/transaction-errors.ts'
import { dataPath, newMachine, valuesOf } from '../broker-fixture.ts'
import { openTransactions, type Transactions } from './transaction-fixture.ts'

const topics = ['a', 'b']

/** Runs three transactions, and tells of each whether it was said to be committed. */
async function runTransactions(opened: Transactions): Promise<ReadonlyMap<string, string>> {
  const outcomes = new Map<string, string>()
  for (const name of ['t0', 't1', 't2']) {
    const producer = opened.producer('p')
    try {
      await producer.transaction(async (transaction) => {
        for (const topic of topics) await transaction.send(topic, { value: name }, { partition: 0 })
        await transaction.sendOffsets('g', [{ topic: 'a', partition: 0, offset: 5 }])
      })
      outcomes.set(name, 'committed')
    } catch (error) {
      expect(error).toBeInstanceOf(VarveError)
      const isCommitted = error instanceof TransactionPendingError && error.outcome === 'commit'
      outcomes.set(name, isCommitted ? 'committed' : 'unknown')
    }
  }
  return outcomes
}

async function open(
  seed: number,
): Promise<{ readonly fs: SimulatedFileSystem; readonly opened: Transactions }> {
  const clock = new ManualClock()
  const fs = new SimulatedFileSystem({ clock, seed })
  fs.makeDirectories(dataPath)
  const opened = await openTransactions({ fs, clock })
  for (const topic of topics) await opened.topics.create(topic, 1, {})
  return { fs, opened }
}

/** @param share of the calls of the file system that fail, drawn */
export async function checkTransactionFaults(seed: number, share: number): Promise<number> {
  const counting = await open(seed)
  const before = counting.fs.changes
  await runTransactions(counting.opened)
  const calls = counting.fs.changes - before
  await counting.opened.close()
  const random = new Random(seed)
  let hits = 0
  for (let after = 0; after < calls; after++) {
    for (const isLasting of [false, true]) {
      if (!random.bool(share)) continue
      const what = `VARVE_SEED=${seed} call ${after} fails, lasting ${isLasting}`
      const { fs, opened } = await open(seed)
      fs.injectFault({ kind: 'EIO', after, isLasting })
      const outcomes = await runTransactions(opened)
      hits += fs.faultHits > 0 ? 1 : 0
      fs.clearFaults()
      await opened.close().catch(() => undefined)
      await checkAfterwards(fs, outcomes, what)
    }
  }
  return hits
}

async function checkAfterwards(
  fs: SimulatedFileSystem,
  outcomes: ReadonlyMap<string, string>,
  what: string,
): Promise<void> {
  await using opened = await openTransactions(newMachine(fs.crashState(fs.operations, 'all')))
  await opened.producer('p').start()
  const reads = topics.map((topic) => {
    return valuesOf(opened.topics.topic(topic).partition(0).log, 'committed')
  })
  const [a = [], b = []] = await Promise.all(reads)
  expect(a, what).toEqual(b)
  expect(new Set(a).size, what).toBe(a.length)
  for (const [name, outcome] of outcomes) {
    if (outcome === 'committed') expect(a, what).toContain(name)
  }
  expect((await opened.committed('g', 'a')) !== null, what).toBe(a.length > 0)
}

test('when a call of the file system fails, a transaction counts everywhere or nowhere', async () => {
  const seed = seedFromEnvironment('faults of transactions')
  expect(await checkTransactionFaults(seed, 0.2)).toBeGreaterThan(10)
})
