import { describe, expect, test } from 'vitest'
import { run } from './captured-io.ts'
import { makeData, valuesIn } from './cleaning-fixture.ts'

describe('varve compact', () => {
  test('says what would be gained, and then compacts', async () => {
    const data = await makeData('compact')
    const planned = await run('compact', 'plan', '--data', data, '--json')
    expect(planned.stdout.documents).toMatchObject([
      {
        partition: 't-0',
        reason: 'dirtyRatio',
        dirtyRatio: 1,
        segments: 4,
        gain: { inputRecords: 40, outputRecords: 1 },
      },
    ])
    expect(await valuesIn(data)).toHaveLength(40)
    const done = await run('compact', 'run', 't', '--data', data, '--json')
    expect(done.stdout.documents).toMatchObject([
      { partition: 't-0', compacted: true, inputRecords: 40, outputRecords: 1 },
    ])
    expect(await valuesIn(data)).toEqual(['v39'])
    const again = await run('compact', 'run', '--data', data)
    expect(again.stdout.text).toMatch(/^No log is due/)
    expect((await run('verify', data)).code).toBe(0)
  })

  test('prints for people, and leaves topics alone that are not compacted', async () => {
    const data = await makeData('compact')
    const { stdout } = await run('compact', 'plan', 't', '--data', data)
    expect(stdout.text).toMatch(/^t-0: due \(dirtyRatio\); 4 segments, .* of it dirty \(100 %\)\n/)
    expect(stdout.text).toMatch(/39 records of 40 records removed/)
    const deleted = await makeData('delete')
    const plain = await run('compact', 'plan', '--data', deleted)
    expect(plain.stdout.text).toBe('No topic has cleanup.policy=compact.\n')
    expect((await run('compact', 'plan', '--data', deleted, '--json')).stdout.text).toBe('')
    const set = ['--set', 'cleanup.policy=compact']
    const other = await run('compact', 'plan', '--data', deleted, ...set, '--json')
    expect(other.stdout.documents).toHaveLength(1)
  })

  test('refuses a topic that is not there', async () => {
    const data = await makeData('compact')
    const { code, err } = await run('compact', 'plan', 'nobody', '--data', data)
    expect(code).toBe(3)
    expect(err).toContain('nobody')
  })
})
