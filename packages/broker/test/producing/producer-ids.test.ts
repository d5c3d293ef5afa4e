import { expect, test } from 'vitest'
import { ProducerIds } from '../../src/producing/producer-ids.ts'

test('every producer gets an id of its own, a block at a time', async () => {
  const taken: number[] = []
  const ids = new ProducerIds(async () => {
    taken.push(taken.length * 10)
    return { first: (taken.length - 1) * 10, count: 10 }
  })
  const identities = await Promise.all(Array.from({ length: 25 }, () => ids.take()))
  expect(identities.map(({ producerId }) => producerId)).toEqual(
    Array.from({ length: 25 }, (_, index) => index),
  )
  expect(taken).toEqual([0, 10, 20])
})

test('a block that could not be noted is asked for again', async () => {
  let times = 0
  const ids = new ProducerIds(async () => {
    times++
    if (times === 1) throw new Error('disk')
    return { first: 5, count: 1 }
  })
  await expect(ids.take()).rejects.toThrow('disk')
  expect(await ids.take()).toEqual({ producerId: 5, producerEpoch: 0 })
})
