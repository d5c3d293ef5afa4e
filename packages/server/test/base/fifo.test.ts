import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fifo } from '../../src/base/fifo.ts'

test('what is added first is taken first, however many there are', () => {
  const steps = fc.array(fc.oneof(fc.nat(3000), fc.constant('all' as const)), { maxLength: 40 })
  fc.assert(
    fc.property(
      steps,
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (all, parts) => {
        const fifo = new Fifo<number>()
        let expected: number[] = []
        let last = 0
        for (const step of all) {
          if (step === 'all') {
            expect(fifo.takeAll()).toEqual(expected)
            expected = []
            continue
          }
          for (let added = 0; added < step; added++) {
            fifo.add(last)
            expected.push(last++)
          }
          const count = Math.round(expected.length * (parts.next().value as number))
          const taken = Array.from({ length: count }, () => fifo.take())
          expect(taken).toEqual(expected.slice(0, count))
          expected = expected.slice(count)
          expect(fifo).toMatchObject({ length: expected.length, next: expected[0] ?? null })
        }
      },
    ),
  )
})

test('there may be none', () => {
  const fifo = new Fifo<string>()
  expect([fifo.take(), fifo.next, fifo.length, fifo.takeAll()]).toEqual([null, null, 0, []])
})

test('a hundred thousand are taken in no time', () => {
  const fifo = new Fifo<number>()
  for (let item = 0; item < 100_000; item++) fifo.add(item)
  const started = performance.now()
  let sum = 0
  for (let item = fifo.take(); item !== null; item = fifo.take()) sum += item
  expect(sum).toBe(4_999_950_000)
  expect(performance.now() - started).toBeLessThan(500)
})
