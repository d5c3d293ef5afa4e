import { LogClosedError } from '@varve/log'
import { RecordBatchBuilder } from '@varve/record'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PartitionDelivery } from '../../src/producing/partition-delivery.ts'
import { PartitionSender, type SenderHost } from '../../src/producing/partition-sender.ts'
import { resolveSendingOptions } from '../../src/producing/producer-options.ts'
import type { Topics } from '../../src/topics/topics.ts'
import {
  errorOf,
  type Machine,
  newMachine,
  openTopics,
  turns,
  valuesOf,
} from '../broker-fixture.ts'

let machine: Machine
let topics: Topics
const identity = { producerId: 7, producerEpoch: 0 }

beforeEach(async () => {
  machine = newMachine()
  topics = await openTopics(machine)
  await topics.create('t', 1, {})
})

afterEach(() => topics.close())

const partition = () => topics.topic('t').partition(0)

function delivery(deliveryTimeoutMs = 0): PartitionDelivery {
  const { clock } = machine
  return new PartitionDelivery(partition(), identity, { clock, acks: 'flushed', deliveryTimeoutMs })
}

function batchOf(values: readonly string[], baseSequence = 0) {
  const builder = new RecordBatchBuilder({ ...identity, baseSequence, defaultTimestamp: 5 })
  for (const value of values) builder.append({ value })
  return builder.build()
}

test('batches are numbered one after the other, whatever they were built with', async () => {
  const delivering = delivery()
  await delivering.deliver(batchOf(['a', 'b']))
  expect(delivering.nextSequence).toBe(2)
  await delivering.deliver(batchOf(['c'], 77))
  const sequences: number[] = []
  for await (const { baseSequence } of partition().log.reader({ from: 0 })) {
    sequences.push(baseSequence)
  }
  expect(sequences).toEqual([0, 2])
})

test('after a refusal the numbers go on where the log has them', async () => {
  const delivering = delivery()
  await delivering.deliver(batchOf(['a']))
  await partition().log.close()
  await expect(delivering.deliver(batchOf(['b']))).rejects.toThrow()
  await topics.directory.reopenLog('t', 0)
  await delivering.deliver(batchOf(['c', 'd']))
  expect(await valuesOf(partition().log)).toEqual(['a', 'c', 'd'])
  expect(delivering.nextSequence).toBe(3)
})

test('what the log has lost since does not keep the next batch out', async () => {
  const { clock } = machine
  const delivering = new PartitionDelivery(partition(), identity, {
    clock,
    acks: 'written',
    deliveryTimeoutMs: 0,
  })
  await delivering.deliver(batchOf(['a']))
  await partition().log.flush()
  await delivering.deliver(batchOf(['b', 'c']))
  machine.fs.injectFault({ kind: 'EIO', cache: 'dropped' })
  await expect(partition().log.flush()).rejects.toThrow()
  await topics.directory.reopenLog('t', 0)
  expect(await valuesOf(partition().log)).toEqual(['a'])
  await delivering.deliver(batchOf(['d']))
  expect(await valuesOf(partition().log)).toEqual(['a', 'd'])
  expect(delivering.nextSequence).toBe(2)
})

test('a batch that had arrived when the log went away is found, not appended again', async () => {
  const delivering = delivery(5000)
  const { log } = partition()
  const append = log.appendBatch.bind(log)
  // The log takes the batches and then is closed, before it says so.
  log.appendBatch = async (batch, options) => {
    await append(batch, options)
    throw new LogClosedError('t-0')
  }
  const sent = [delivering.deliver(batchOf(['a', 'b'])), delivering.deliver(batchOf(['c']))]
  await turns()
  await topics.directory.reopenLog('t', 0)
  const last = delivering.deliver(batchOf(['d']))
  machine.clock.advance(20)
  expect(await Promise.all(sent)).toEqual([
    { baseOffset: 0, lastOffset: 1, isDuplicate: true },
    { baseOffset: 2, lastOffset: 2, isDuplicate: true },
  ])
  expect(await last).toEqual({ baseOffset: 3, lastOffset: 3, isDuplicate: false })
  expect(await valuesOf(partition().log)).toEqual(['a', 'b', 'c', 'd'])
})

test('what waits is given up when its producer is', async () => {
  const delivering = delivery(5000)
  await partition().log.close()
  const sent = errorOf(delivering.deliver(batchOf(['a'])), RangeError)
  await turns()
  delivering.abandon(new RangeError('given up'))
  await sent
  expect(machine.clock.pendingTimers).toBe(1)
})

test('a sender holds its batch back while another is on its way, and gives it up when told', async () => {
  const scheduled: PartitionSender[] = []
  const host: SenderHost = {
    options: resolveSendingOptions({}),
    identity,
    isTransactional: false,
    clock: machine.clock,
    now: () => machine.clock.now(),
    schedule: (sender) => void scheduled.push(sender),
    admit: () => null,
    sent: () => undefined,
    settled: () => undefined,
  }
  const sender = new PartitionSender(partition(), delivery(), host)
  const first = sender.send({ value: 'a' })
  expect(scheduled).toHaveLength(1)
  sender.drain()
  expect([sender.isHeld, sender.isOpen]).toEqual([true, false])
  const second = sender.send({ value: 'b' })
  expect(scheduled).toHaveLength(1)
  await first
  expect(scheduled).toHaveLength(2)
  sender.abandon(new RangeError('given up'))
  await errorOf(second, RangeError)
  expect(await valuesOf(partition().log)).toEqual(['a'])
})
