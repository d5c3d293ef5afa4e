import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Heap } from '../../src/queues/heap.ts'
import { checkProperty } from '../property.ts'

test('elements come out in order, however they went in', async () => {
  const operations = fc.array(fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(null)))
  await checkProperty(operations, 200, (list) => {
    const heap = new Heap<number>((left, right) => left < right)
    const model: number[] = []
    for (const item of list) {
      if (item !== null) {
        heap.push(item)
        model.push(item)
        model.sort((left, right) => left - right)
      } else expect(heap.pop()).toBe(model.shift())
      expect([heap.size, heap.peek()]).toEqual([model.length, model[0]])
    }
  })
})
