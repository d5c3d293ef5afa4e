import { TopicNotFoundError } from '@varve/broker'
import { expect, test } from 'vitest'
import { cleaningTargets } from '../../src/cleaning/cleaning-targets.ts'
import { makeData } from '../cleaning-fixture.ts'

test('the settings of a topic hold, unless others are given', async () => {
  const data = await makeData('compact')
  const targets = (topic: string | null, ...set: readonly string[]) =>
    cleaningTargets({ data, topic, set, json: false })
  const [own] = targets(null)
  expect(own).toMatchObject({ name: 't-0', path: `${data}/t-0` })
  expect(own?.policy).toMatchObject({ cleanupPolicy: ['compact'], retentionMs: 604_800_000 })
  const [other] = targets('t', 'cleanup.policy=compact,delete', 'retentionMs=5', 'segmentMs=9')
  expect(other?.policy).toMatchObject({ cleanupPolicy: ['compact', 'delete'], retentionMs: 5 })
  expect(() => targets('nobody')).toThrow(TopicNotFoundError)
})
