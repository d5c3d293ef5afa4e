import { existsSync } from 'node:fs'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { main } from '../src/main.ts'
import { captureIo, run } from './captured-io.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

let count = 0
/** A data directory that is not there yet, and what runs `varve topic` on it. */
function place() {
  const data = `${temporary.path}/data-${count++}`
  const topic = (action: string, ...argv: readonly string[]) =>
    run('topic', action, ...argv, '--data', data, '--json')
  return { data, topic }
}

describe('varve topic', () => {
  test('makes, lists, describes, alters and deletes', async () => {
    const { data, topic } = place()
    const made = await topic('create', 'orders', '--partitions', '2', '--set', 'retention.ms=5000')
    expect(made.stdout.documents).toMatchObject([
      { topic: 'orders', partitions: 2, settings: { retentionMs: 5000 } },
    ])
    await main(['produce', 'orders', '--data', data], captureIo({ input: ['a\nb\n'] }))
    expect((await topic('list')).stdout.documents).toMatchObject([
      { name: 'orders', partitions: 2, settings: { retentionMs: 5000 } },
    ])
    expect((await topic('describe', 'orders')).stdout.documents).toMatchObject([
      {
        name: 'orders',
        partitions: [
          { partition: 0, highWatermark: 2, error: null },
          { partition: 1, highWatermark: 0, error: null },
        ],
      },
    ])
    const altered = await topic('alter', 'orders', '--partitions', '3', '--unset', 'retentionMs')
    expect(altered.stdout.documents).toMatchObject([
      { partitions: 3, settings: { retentionMs: 604_800_000 } },
    ])
    const asked = await topic('delete', 'orders')
    expect(asked.stdout.documents).toMatchObject([{ deleted: false, partitions: 3 }])
    expect((await topic('list')).stdout.documents.length).toBe(1)
    const deleted = await topic('delete', 'orders', '--yes')
    expect(deleted.stdout.documents).toEqual([{ topic: 'orders', deleted: true }])
    expect((await topic('list')).stdout.documents).toEqual([])
  })

  test('prints for people too', async () => {
    const { data } = place()
    const say = async (...argv: readonly string[]) =>
      (await run('topic', ...argv, '--data', data)).stdout.text
    expect(await say('create', 'a', '--set', 'cleanup.policy=compact')).toBe(
      'a: made, with 1 partition\n',
    )
    expect(await say('describe', 'a')).toMatch(/^a {2}\S{22}\n {2}cleanupPolicy: compact\n {2}0: /)
    expect(await say('list')).toBe('a  1 partition\n')
  })

  test('makes no data directory by mistake', async () => {
    const { data, topic } = place()
    for (const argv of [
      ['list'],
      ['describe', 'a'],
      ['alter', 'a', '--set', 'retention.ms=1'],
      ['delete', 'a', '--yes'],
      ['create', 'a', '--set', 'bogus=1'],
    ]) {
      const [action = '', ...rest] = argv
      expect((await topic(action, ...rest)).code, argv.join(' ')).toBeGreaterThan(1)
      expect(existsSync(data), argv.join(' ')).toBe(false)
    }
  })

  test('refuses what is not a change, and what a topic cannot have', async () => {
    const { topic } = place()
    await topic('create', 'a', '--partitions', '2')
    for (const argv of [
      ['alter', 'a'],
      ['alter', 'a', '--partitions', '1'],
      ['alter', 'a', '--set', 'retention.ms=soon'],
      ['create', 'b', '--partitions', '0'],
      ['create', '../b'],
      ['create', 'a'],
    ]) {
      const [action = '', ...rest] = argv
      expect((await topic(action, ...rest)).code, argv.join(' ')).toBeGreaterThan(1)
    }
    expect((await topic('list')).stdout.documents).toMatchObject([{ name: 'a', partitions: 2 }])
  })
})
