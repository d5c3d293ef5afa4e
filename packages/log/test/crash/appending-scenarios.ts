import type { Scenario } from './campaign.ts'
import { filled, small } from './scenario-steps.ts'

export const appending: readonly Scenario[] = [
  {
    name: 'appends at mixed acks',
    async run(life) {
      await life.open()
      await life.create('t')
      life.append('t-0', 1, { acks: 'none' })
      life.append('t-0', 2, { acks: 'written' })
      life.append('t-0', 1)
      await life.settle()
      for (const acks of ['written', 'none', 'written', 'flushed', 'none'] as const) {
        life.append('t-0', 3, { acks })
        await life.settle()
      }
      await life.flush('t-0')
      life.append('t-0', 2, { acks: 'written', valueBytes: 1500 })
      life.append('t-0', 3, { acks: 'written' })
      await life.settle()
      await life.close()
    },
  },
  {
    name: 'many appends in flight, rolling by size',
    log: { ...small, batchBytes: 200 },
    async run(life) {
      await life.open()
      await life.create('t')
      for (let round = 0; round < 4; round += 1) {
        for (let call = 0; call < 6; call += 1) {
          const acks = (['flushed', 'written', 'none', 'written'] as const)[(call + round) % 4]
          life.append('t-0', 1 + (call % 3), { acks: acks ?? 'flushed' })
        }
        if (round % 2 === 1) await life.settle()
      }
      await life.settle()
      await life.close()
    },
  },
  {
    name: 'compressed batches',
    log: { ...small, segmentBytes: 1500 },
    async run(life) {
      await life.open()
      await life.create('t')
      for (const compressionType of ['gzip', 'snappy', 'lz4', 'zstd', 'none'] as const) {
        life.append('t-0', 8, { compressionType, acks: 'written' })
        life.append('t-0', 2, { compressionType })
        await life.settle()
      }
    },
  },
  {
    name: 'rolls by index size, on request, by time',
    log: { indexIntervalBytes: 0, segmentIndexBytes: 40, segmentMs: 400 },
    async run(life) {
      await life.open()
      await life.create('t')
      for (let round = 0; round < 14; round += 1) {
        life.append('t-0', 1, { acks: round % 3 === 0 ? 'flushed' : 'written' })
        await life.settle()
      }
      await life.roll('t-0')
      await life.roll('t-0')
      life.append('t-0', 45, { acks: 'written' })
      life.append('t-0', 1)
      await life.settle()
      life.append('t-0', 2)
      await life.settle()
    },
  },
  {
    name: 'preallocated segments',
    log: { ...small, segmentBytes: 700, batchBytes: 200, preallocate: true },
    async run(life) {
      await life.open()
      await life.create('t')
      await filled(life, 't-0', 2)
      for (let call = 0; call < 8; call += 1) life.append('t-0', 5, { acks: 'written' })
      await life.settle()
      await life.close()
      await life.open()
      life.append('t-0', 2, { acks: 'written' })
      await life.settle()
    },
  },
  {
    name: 'flushes on the event loop',
    log: { ...small, flushOn: 'loop' },
    async run(life) {
      await life.open()
      await life.create('t')
      await filled(life, 't-0', 3)
      for (let call = 0; call < 6; call += 1) {
        life.append('t-0', 1 + (call % 3))
        if (call % 2 === 1) await life.settle()
      }
      await life.roll('t-0')
      life.append('t-0', 2)
      await life.settle()
      await life.close()
    },
  },
  {
    name: 'index entries handed over before the log is flushed',
    log: { indexIntervalBytes: 0, batchBytes: 0 },
    async run(life) {
      await life.open()
      await life.create('t')
      life.append('t-0', 1)
      await life.settle()
      life.appendBatch('t-0', 1, { producerId: 4, isTransactional: true, acks: 'written' })
      life.endTransaction('t-0', 'abort', 4, { acks: 'written' })
      for (let call = 0; call < 520; call += 1) {
        life.append('t-0', 1, { acks: 'none', valueBytes: 4 })
      }
      await life.settle()
      life.append('t-0', 1, { acks: 'written' })
      await life.settle()
    },
  },
]
