import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { resolveConsumerGroupServingOptions } from '../../src/base/consumer-group-options.ts'
import { resolveGroupServingOptions } from '../../src/base/group-options.ts'

test('groups are led as Kafka does unless something else is said', () => {
  expect(resolveGroupServingOptions({ groupInitialRebalanceDelayMs: 0 })).toEqual({
    ...resolveConsumerGroupServingOptions({}),
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
  { groupConsumerSessionTimeoutMs: 44_000 },
  { groupConsumerHeartbeatIntervalMs: 16_000 },
  { groupConsumerAssignmentIntervalMs: -1 },
  { groupConsumerSizeMax: 0 },
  { groupConsumerMigrationPolicy: 'both' as never },
  { groupConsumerHeartbeatIntervalMsMax: 60_000, groupConsumerHeartbeatIntervalMs: 45_000 },
])('%j is refused', (options) => {
  expect(() => resolveGroupServingOptions(options)).toThrow(InvalidArgumentError)
})
