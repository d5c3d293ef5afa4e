import { expect, test } from 'vitest'
import { nearestName } from '../../src/properties/nearest-name.ts'

const known = ['num.partitions', 'num.io.threads', 'listeners']

test('the nearest name is found, and none where nothing is like it', () => {
  expect(nearestName('num.partition', known)).toBe('num.partitions')
  expect(nearestName('listener', known)).toBe('listeners')
  expect(nearestName('zookeeper', known)).toBeNull()
  expect(nearestName('', known)).toBeNull()
})
