import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { resolveGroupServingOptions } from '../../src/base/group-options.ts'

test('groups are led as Kafka does unless something else is said', () => {
  expect(resolveGroupServingOptions({ groupInitialRebalanceDelayMs: 0 })).toEqual({
    groupInitialRebalanceDelayMs: 0,
    groupSessionTimeoutMsMin: 6000,
    groupSessionTimeoutMsMax: 1_800_000,
    groupSizeMax: 2 ** 31 - 1,
  })
})

test.each([
  { groupInitialRebalanceDelayMs: -1 },
  { groupSessionTimeoutMsMin: 0.5 },
  { groupSessionTimeoutMsMax: 2 ** 31 },
  { groupSessionTimeoutMsMin: 10, groupSessionTimeoutMsMax: 9 },
])('%j is refused', (options) => {
  expect(() => resolveGroupServingOptions(options)).toThrow(InvalidArgumentError)
})
