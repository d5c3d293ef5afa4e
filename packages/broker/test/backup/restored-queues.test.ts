import { DirectoryTarget, inlineEncoder, Repository } from '@varve/backup'
import { nodeFileSystem } from '@varve/log'
import { expect, test } from 'vitest'
import type { Delivery } from '../../src/queues/delivery.ts'
import { newPath, open, restore } from './restore-fixture.ts'

test('a queue does not believe records finished that came after the restored end', async () => {
  const data = newPath('data')
  const repository = await Repository.create(new DirectoryTarget(newPath('repository')))
  {
    await using varve = await open(data)
    const queue = await varve.queue('mail')
    for (let index = 0; index < 200; index++) await queue.enqueue({ value: `mail ${index}` })
    const deliveries: Delivery[] = []
    for (let index = 0; index < 200; index++) {
      const delivery = await queue.dequeue()
      if (delivery !== null) deliveries.push(delivery)
    }
    for (const [index, delivery] of deliveries.entries()) {
      await (index % 3 === 0 ? delivery.release() : delivery.acknowledge())
    }
    await varve.backup(repository, { encoder: inlineEncoder(nodeFileSystem) })
  }
  const to = newPath('restored')
  const offsets = new Map([['mail-0', 100]])
  const backed = { repository, data }
  const { notes } = await restore(backed, { to, point: { kind: 'offsets', offsets } })
  expect(notes).toEqual(['queue mail, partition 0: nothing is known from offset 100 on'])
  await using varve = await open(to)
  const queue = await varve.queue('mail')
  await queue.enqueue({ value: 'new' })
  const left: string[] = []
  for (let delivery = await queue.dequeue({ waitMs: 300 }); delivery !== null; ) {
    left.push(String(delivery.record.value))
    await delivery.acknowledge()
    delivery = await queue.dequeue({ waitMs: 300 })
  }
  expect(left).toContain('new')
  const old = Array.from({ length: 34 }, (_, index) => `mail ${3 * index}`)
  expect(new Set(left)).toEqual(new Set([...old, 'new']))
})
