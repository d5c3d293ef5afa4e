import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { run } from './captured-io.ts'
import { makeData, valuesIn } from './cleaning-fixture.ts'

describe('varve retention', () => {
  test('says what would go, and then deletes it', async () => {
    const data = await makeData('delete')
    const set = ['--set', 'retention.ms=3600000']
    const planned = await run('retention', 'plan', '--data', data, ...set, '--json')
    expect(planned.stdout.documents).toHaveLength(1)
    const [plan] = planned.stdout.documents
    expect(plan).toMatchObject({ partition: 't-0', deleted: false })
    const reasons = plan.segments.map((segment: { reason: string }) => segment.reason)
    expect(reasons).toEqual(['retentionTime', 'retentionTime', 'retentionTime'])
    expect(await valuesIn(data)).toHaveLength(40)
    const done = await run('retention', 'run', 't', '--data', data, ...set, '--json')
    expect(done.stdout.documents).toMatchObject([{ deleted: true, sizeBytes: plan.sizeBytes }])
    expect(await valuesIn(data)).toEqual(Array.from({ length: 10 }, (_, index) => `v${30 + index}`))
    const again = await run('retention', 'run', '--data', data, ...set)
    expect(again.stdout.text).toBe('t-0: nothing to delete\n')
    const nothing = await run('retention', 'run', '--data', data, ...set, '--json')
    expect(nothing.stdout.documents).toMatchObject([{ deleted: false, sizeBytes: 0 }])
  })

  test('prints for people, with the reason of every segment', async () => {
    const data = await makeData('delete')
    const { stdout } = await run(
      'retention',
      'plan',
      't',
      '--data',
      data,
      '--set',
      'retentionMs=5000',
    )
    expect(stdout.text).toMatch(
      /^t-0: 3 segments, .* would be deleted\n {2}offsets 0 to 9, .*: ret/,
    )
  })

  test('deletes nothing of what was restored before it is released', async () => {
    const data = await makeData('delete')
    const set = ['--set', 'retention.ms=3600000']
    writeFileSync(`${data}/varve-retention-hold`, '{"backupId":"b","restoredMs":1}')
    const held = await run('retention', 'run', '--data', data, ...set)
    expect(held).toMatchObject({ code: 1 })
    expect(held.out).toMatch(/^retention is held since 1970-/)
    expect(await valuesIn(data)).toHaveLength(40)
    const plan = await run('retention', 'plan', '--data', data, ...set, '--json')
    expect(plan.stdout.documents.at(-1)).toEqual({ held: { backupId: 'b', restoredMs: 1 } })
    await run('retention', 'release', '--data', data)
    expect(await run('retention', 'run', '--data', data, ...set)).toMatchObject({ code: 0 })
    expect(await valuesIn(data)).toHaveLength(10)
  })
})
