import { appending } from './appending-scenarios.ts'
import type { Scenario } from './campaign.ts'
import { filled, small, startSmall } from './scenario-steps.ts'

const producers: readonly Scenario[] = [
  {
    name: 'idempotent batches, sent again',
    log: small,
    async run(life) {
      await life.open()
      await life.create('t')
      for (let round = 0; round < 6; round += 1) {
        life.appendBatch('t-0', 3, { producerId: 1, acks: 'written' })
        life.appendBatch('t-0', 2, { producerId: 2, acks: round % 2 === 0 ? 'flushed' : 'none' })
        life.resend('t-0', 1, round % 2 === 0 ? 'written' : 'flushed')
        if (round % 3 === 2) life.resend('t-0', 2)
        await life.settle()
      }
      life.appendBatch('t-0', 1, { producerId: 2, producerEpoch: 1 })
      life.resend('t-0', 2, 'flushed', 1)
      await life.settle()
      await life.close()
      await life.open()
      life.resend('t-0', 1)
      life.appendBatch('t-0', 2, { producerId: 1, acks: 'written' })
      await life.settle()
    },
  },
  {
    name: 'transactions',
    log: small,
    async run(life) {
      await life.open()
      await life.create('t')
      const transaction = { isTransactional: true, acks: 'written' } as const
      life.appendBatch('t-0', 2, { ...transaction, producerId: 5 })
      life.append('t-0', 3)
      life.appendBatch('t-0', 2, { ...transaction, producerId: 6 })
      life.endTransaction('t-0', 'commit', 5)
      await life.settle()
      for (let round = 0; round < 3; round += 1) {
        life.appendBatch('t-0', 3, { ...transaction, producerId: 7 })
        life.appendBatch('t-0', 2, { ...transaction, producerId: 8, acks: 'none' })
        life.append('t-0', 3, { acks: 'written' })
        await life.settle()
        life.endTransaction('t-0', round === 1 ? 'commit' : 'abort', 7, { acks: 'written' })
        life.endTransaction('t-0', 'abort', 8)
        await life.settle()
      }
      life.endTransaction('t-0', 'abort', 6)
      life.appendBatch('t-0', 1, { ...transaction, producerId: 5 })
      await life.settle()
      await life.roll('t-0')
      life.append('t-0', 2)
      await life.settle()
      await life.close()
      await life.open({ leaderEpoch: 3 })
      life.endTransaction('t-0', 'abort', 5)
      await life.settle()
    },
  },
]

const removing: readonly Scenario[] = [
  {
    name: 'deleting segments: within one, at a boundary, all',
    log: small,
    async run(life) {
      await startSmall(life)
      await life.deleteBefore('t-0', 3)
      life.append('t-0', 2, { acks: 'written' })
      const boundary = life.log('t-0').segments()[2]?.baseOffset ?? 0
      await life.deleteBefore('t-0', boundary)
      await life.settle()
      life.append('t-0', 1)
      await life.settle()
      life.clock.advance(60_000)
      life.append('t-0', 2, { acks: 'written' })
      await life.settle()
      await life.deleteBefore('t-0', life.log('t-0').logEndOffset)
      life.append('t-0', 2, { acks: 'written' })
      await life.settle()
      await life.close()
    },
  },
  {
    name: 'deleting segments that a snapshot holds',
    log: small,
    async run(life) {
      await startSmall(life)
      const log = life.log('t-0')
      const snapshot = log.snapshot()
      await life.deleteBefore('t-0', log.segments()[2]?.baseOffset ?? 0)
      life.append('t-0', 4, { acks: 'written' })
      await life.settle()
      snapshot.release()
      life.append('t-0', 2)
      await life.settle()
      const second = log.snapshot()
      await life.deleteBefore('t-0', log.logEndOffset - 1)
      life.clock.advance(60_000)
      await life.roll('t-0')
      life.append('t-0', 1)
      await life.settle()
      second.release()
      await life.close()
    },
  },
  {
    name: 'deleting with transactions and producers before the start',
    log: { ...small, segmentBytes: 500 },
    async run(life) {
      await life.open()
      await life.create('t')
      const transaction = { isTransactional: true, acks: 'written' } as const
      life.appendBatch('t-0', 3, { ...transaction, producerId: 9 })
      life.appendBatch('t-0', 2, { producerId: 10 })
      life.appendBatch('t-0', 2, { ...transaction, producerId: 11 })
      life.endTransaction('t-0', 'abort', 11)
      await life.settle()
      life.append('t-0', 6)
      await life.settle()
      life.append('t-0', 6)
      await life.settle()
      await life.deleteBefore('t-0', 9)
      life.resend('t-0', 10)
      life.endTransaction('t-0', 'abort', 9)
      life.append('t-0', 3)
      await life.settle()
      await life.deleteBefore('t-0', life.log('t-0').logEndOffset)
      life.appendBatch('t-0', 1, { producerId: 10 })
      await life.settle()
    },
  },
]

const replacing: readonly Scenario[] = [
  {
    name: 'replacing the first segments by one',
    log: small,
    async run(life) {
      await startSmall(life)
      await life.compact('t-0', { from: 0, to: 2 })
      life.append('t-0', 2, { acks: 'written' })
      life.append('t-0', 1)
      await life.settle()
      await life.close()
      await life.open()
      life.append('t-0', 2)
      await life.settle()
    },
  },
  {
    name: 'replacing segments in the middle by several',
    log: small,
    async run(life) {
      await startSmall(life)
      await filled(life)
      await life.compact('t-0', { from: 1, to: 4, outputs: 2 })
      life.clock.advance(60_000)
      life.append('t-0', 2, { acks: 'written' })
      await life.settle()
    },
  },
  {
    name: 'replacing one segment by three',
    log: { ...small, segmentBytes: 2500 },
    async run(life) {
      await life.open()
      await life.create('t')
      for (let round = 0; round < 5; round += 1) {
        life.append('t-0', 5)
        await life.settle()
      }
      await life.roll('t-0')
      life.append('t-0', 3)
      await life.settle()
      await life.compact('t-0', { from: 0, to: 1, outputs: 3 })
      life.append('t-0', 3, { acks: 'written' })
      await life.settle()
    },
  },
  {
    name: 'replacing just after rolling, with little left at the end',
    log: { ...small, segmentBytes: 5000 },
    async run(life) {
      await life.open()
      await life.create('t')
      life.append('t-0', 10, { keys: 2 })
      await life.settle()
      life.append('t-0', 8, { acks: 'written', keys: 2 })
      await life.settle()
      await life.roll('t-0')
      life.append('t-0', 6, { keys: 2 })
      const compaction = life.compact('t-0', { from: 0, to: 1 })
      life.append('t-0', 2, { acks: 'written' })
      await compaction
      life.append('t-0', 2)
      await life.settle()
      await life.roll('t-0')
      life.append('t-0', 6, { keys: 2 })
      await life.settle()
      await life.compact('t-0', { from: 0, to: 2 })
      life.append('t-0', 1)
      await life.settle()
    },
  },
  {
    name: 'replacing segments with transactions, and again',
    log: small,
    async run(life) {
      await life.open()
      await life.create('t')
      const transaction = { isTransactional: true, acks: 'written' } as const
      life.appendBatch('t-0', 3, { ...transaction, producerId: 5 })
      life.append('t-0', 6)
      life.endTransaction('t-0', 'abort', 5)
      await life.settle()
      life.appendBatch('t-0', 3, { ...transaction, producerId: 5 })
      life.append('t-0', 8)
      life.endTransaction('t-0', 'commit', 5)
      await life.settle()
      await filled(life, 't-0', 2)
      await life.compact('t-0', { from: 0, to: 2 })
      life.append('t-0', 7)
      await life.settle()
      await life.compact('t-0', { from: 0, to: 2 })
      await life.deleteBefore('t-0', 8)
      life.append('t-0', 1)
      await life.settle()
    },
  },
]

const directories: readonly Scenario[] = [
  {
    name: 'several logs, one deleted and made again',
    log: small,
    async run(life) {
      await life.open()
      await life.create('a')
      await life.create('b', 1)
      life.append('a-0', 4)
      life.append('b-1', 12, { acks: 'written' })
      await life.settle()
      life.append('b-1', 12)
      await life.settle()
      await life.directory.checkpoint()
      await life.create('c')
      life.append('c-0', 2)
      await life.settle()
      await life.deleteBefore('b-1', 12)
      await life.deleteLog('b', 1)
      await life.create('b', 1)
      life.append('b-1', 2)
      life.append('a-0', 2, { acks: 'written' })
      await life.settle()
      await life.close()
    },
  },
  {
    name: 'a data directory that is made',
    path: '/home/varve/data',
    async run(life) {
      await life.open()
      await life.create('t')
      life.append('t-0', 2)
      await life.settle()
      await life.create('u')
      life.append('u-0', 1)
      await life.settle()
    },
  },
  {
    name: 'closing and opening again and again, with leader epochs',
    log: small,
    async run(life) {
      await life.open()
      await life.create('t')
      await life.create('u')
      for (let round = 0; round < 3; round += 1) {
        life.append('t-0', 5, { acks: 'written' })
        if (round === 1) life.append('u-0', 6)
        await life.settle()
        await life.close()
        await life.open({ leaderEpoch: round })
      }
      life.append('t-0', 2, { acks: 'written' })
      await life.settle()
      await life.close()
      await life.open({ leaderEpoch: 9 })
      await life.close()
    },
  },
  {
    name: 'few open files, and checkpoints between appends',
    openFilesMax: 2,
    log: { ...small, segmentBytes: 600 },
    async run(life) {
      await life.open()
      for (const topic of ['a', 'b', 'c', 'd']) await life.create(topic)
      for (let round = 0; round < 4; round += 1) {
        for (const name of ['a-0', 'b-0', 'c-0', 'd-0']) {
          life.append(name, 3, { acks: round % 2 === 0 ? 'written' : 'flushed' })
        }
        await life.settle()
        life.clock.advance(60_000)
      }
      await life.close()
    },
  },
]

/** In groups of about the same weight, for as many processes. */
export const scenarioGroups: Readonly<Record<string, readonly Scenario[]>> = {
  appending,
  producers,
  removing,
  replacing,
  directories,
}

export const scenarios: readonly Scenario[] = Object.values(scenarioGroups).flat()
