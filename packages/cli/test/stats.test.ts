import { rmSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { main } from '../src/main.ts'
import { CapturedOutput, captureIo, hashTree, run } from './captured-io.ts'
import { makeGroupData, newPath, openData } from './group-fixture.ts'

describe('varve stats', () => {
  test('prints topics and groups, and changes nothing', async () => {
    const data = await makeGroupData()
    const before = hashTree(data)
    const { code, stdout } = await run('stats', '--data', data, '--json')
    expect(code).toBe(0)
    expect(stdout.documents).toMatchObject([
      {
        topics: [{ topic: 'orders', partitions: 2, records: 15, recordsPerSecond: null }],
        groups: [{ group: 'billing', lag: 7 }],
      },
    ])
    expect((await run('stats', '--data', data)).out).toMatch(
      /^TOPIC +PARTITIONS +RECORDS +SIZE\norders +2 +15 +[\d.]+ K?i?B\n\nGROUP +LAG\nbilling +7\n$/,
    )
    const internal = await run('stats', '--data', data, '--internal', '--json')
    expect(
      internal.stdout.documents[0].topics.map(({ topic }: { topic: string }) => topic),
    ).toContain('__consumer_offsets')
    expect(hashTree(data)).toEqual(before)
  })

  test('watches what a program appends, until it is interrupted', async () => {
    const data = await makeGroupData()
    await using varve = await openData(data)
    const controller = new AbortController()
    const io = captureIo({ signal: controller.signal })
    const ended = main(['stats', '--data', data, '--watch', '--interval', '0.1', '--json'], io)
    await expect
      .poll(() => io.stdout.documents.length, { timeout: 10_000, interval: 5 })
      .toBeGreaterThan(0)
    await varve.producer().send('orders', { value: 'more' }, { partition: 0 })
    await expect
      .poll(() => io.stdout.documents.at(-1)?.topics[0], { timeout: 10_000, interval: 5 })
      .toMatchObject({ topic: 'orders', records: 16 })
    const rates = io.stdout.documents.map(({ topics }) => topics[0].recordsPerSecond)
    expect(rates.some((rate) => rate > 0)).toBe(true)
    expect(io.stdout.documents.at(-1).groups).toEqual([{ group: 'billing', lag: 8 }])
    controller.abort()
    expect(await ended).toBe(0)
  })

  test('redraws its table on a terminal, and only there', async () => {
    const data = await makeGroupData()
    for (const isTerminal of [true, false]) {
      const controller = new AbortController()
      const stdout = new CapturedOutput({ isTerminal })
      const io = { ...captureIo({ signal: controller.signal }), stdout }
      const ended = main(['stats', '--data', data, '--watch', '--interval', '0.1'], io)
      await expect
        .poll(() => stdout.text.split('RECORDS/S').length, { timeout: 10_000, interval: 5 })
        .toBeGreaterThan(2)
      controller.abort()
      expect(await ended).toBe(0)
      expect(stdout.text.includes('\u001b[2J'), String(isTerminal)).toBe(isTerminal)
    }
  })

  test('a partition that cannot be read is a finding, and the others are shown', async () => {
    const data = await makeGroupData()
    rmSync(`${data}/orders-0`, { recursive: true })
    const { code, stdout } = await run('stats', '--data', data, '--json')
    expect(code).toBe(1)
    expect(stdout.documents[0].topics).toMatchObject([{ topic: 'orders', records: 5 }])
    expect(stdout.documents[0].topics[0].errors[0]).toContain('orders-0')
  })

  test.each(['0', '-1', 'soon', '100000'])('does not look every %s seconds', async (interval) => {
    const data = await makeGroupData()
    expect((await run('stats', '--data', data, '--watch', '--interval', interval)).code).toBe(2)
  })

  test('a directory that is not there is a failure', async () => {
    expect((await run('stats', '--data', newPath())).code).toBe(3)
  })
})
