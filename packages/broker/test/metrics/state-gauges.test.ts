import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import type { MeasuredLog } from '../../src/metrics/measured.ts'
import { addStateGauges } from '../../src/metrics/state-gauges.ts'

test('nothing is asked for before somebody reads, and then what there is at that moment', async () => {
  let asked = 0
  let logs: MeasuredLog[] = []
  const registry = new Registry()
  addStateGauges(registry, {
    logs: () => {
      asked++
      return logs
    },
    groups: () => [],
    queues: () => [],
    isRetentionHeld: () => false,
  })
  expect(asked).toBe(0)
  expect(await registry.metrics()).not.toMatch(/^varve_log_segments\{/m)
  const offsets = { logStartOffset: 0, highWatermark: 1, logEndOffset: 1 }
  logs = [{ topic: 't', partition: 0, segments: 2, sizeBytes: 70, ...offsets }]
  const text = await registry.metrics()
  expect(text).toContain('varve_log_segments{topic="t",partition="0"} 2')
  expect(text).toContain('varve_log_size_bytes{topic="t",partition="0"} 70')
})
