import type { File, FileSystem, Log } from '@varve/log'
import { endTransactionMarkerBatch, RecordBatchBuilder } from '@varve/record'
import { expect, test } from 'vitest'
import { DirectorySource } from '../../src/source/directory-source.ts'
import { appendRecords, dataPath, Machine } from '../backup-fixture.ts'

/** A transaction whose decision nobody has written down, and the segment sealed behind it. */
async function commitUnheardOf(log: Log): Promise<void> {
  const producer = { producerId: 7, producerEpoch: 0 }
  const options = { ...producer, baseSequence: 0, isTransactional: true }
  await log.appendBatch(new RecordBatchBuilder(options).append({ value: 'x' }).build())
  const marker = { type: 'commit' as const, ...producer, coordinatorEpoch: 0, timestamp: 1 }
  await log.appendBatch(endTransactionMarkerBatch(marker), { origin: 'coordinator' })
  await log.roll()
  await log.settle()
}

/** A file system on which something happens while a log's large batches are read. */
function whileReading(fs: FileSystem, part: string, action: () => Promise<void>): FileSystem {
  let acting: Promise<void> | null = null
  const open = (...args: Parameters<FileSystem['open']>): File => {
    const file = fs.open(...args)
    if (!file.path.includes(part)) return file
    const read = file.read.bind(file)
    file.read = async (target, position) => {
      acting ??= action()
      await acting
      return read(target, position)
    }
    return file
  }
  return new Proxy(fs, {
    get: (target, name) => {
      if (name === 'open') return open
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

test('of a segment that is stored, and now counts only in part, the file is held', async () => {
  const machine = new Machine()
  const directory = await machine.openData()
  const transactions = await directory.createLog('__transaction_state', 0)
  await transactions.alter({ segmentBytes: 2 ** 20 })
  // Larger than what is read at once; none of it is a value that says anything.
  await transactions.append({ key: 'id', value: Buffer.alloc(200_000, 255) })
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 10)
  const fs = whileReading(machine.fs, '__transaction_state', () => commitUnheardOf(log))
  const isStored = ({ baseOffset }: { readonly baseOffset: number }): boolean => baseOffset === 0
  const snapshot = await new DirectorySource(dataPath, { fs }).snapshot({ isStored })
  const found = snapshot.partitions.find(({ topic }) => topic === 't')
  // Before the marker of a decision that came later.
  expect(found).toMatchObject({ endOffset: 11, segments: [{ isSealed: false, nextOffset: 11 }] })
  expect(found?.segments.map(({ path, sourcePath }) => path === sourcePath)).toEqual([false])
  await snapshot.release()
  await directory.close()
})
