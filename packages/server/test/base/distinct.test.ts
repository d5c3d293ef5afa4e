import { expect, test } from 'vitest'
import { distinctBy } from '../../src/base/distinct.ts'

test('what is named more than once is there as it was named first', () => {
  const all = [
    { name: 'b', at: 0 },
    { name: 'a', at: 1 },
    { name: 'b', at: 2 },
  ]
  expect(distinctBy(all, ({ name }) => name).map(({ at }) => at)).toEqual([0, 1])
})
