import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { hashTree, run } from './captured-io.ts'
import { makeGroupData, newPath, openData } from './group-fixture.ts'

const group = (data: string, ...argv: readonly string[]) =>
  run('group', ...argv, '--data', data, '--json')

/** Where the group goes on, by partition. */
async function committedIn(data: string): Promise<number[]> {
  const { stdout } = await group(data, 'describe', 'billing')
  const [{ partitions }] = stdout.documents
  return partitions.map(({ committedOffset }: { committedOffset: number }) => committedOffset)
}

describe('varve group', () => {
  test('lists and describes groups with their lag, and changes nothing', async () => {
    const data = await makeGroupData()
    const before = hashTree(data)
    expect((await group(data, 'list')).stdout.documents).toEqual([
      { group: 'billing', members: 0, topics: ['orders'], partitions: 2, lag: 7 },
    ])
    expect((await group(data, 'describe', 'billing')).stdout.documents).toMatchObject([
      {
        group: 'billing',
        members: [],
        lag: 7,
        partitions: [
          { topic: 'orders', partition: 0, committedOffset: 3, endOffset: 10, lag: 7 },
          { topic: 'orders', partition: 1, committedOffset: 5, endOffset: 5, lag: 0 },
        ],
      },
    ])
    expect(hashTree(data)).toEqual(before)
  })

  test('lists and describes beside the program that has the directory open', async () => {
    const data = await makeGroupData()
    await using varve = await openData(data)
    await varve.producer().send('orders', { value: 'more' }, { partition: 0 })
    const consumer = varve.consumer({ group: 'billing', topics: ['orders'] })
    await consumer.next()
    const [described] = (await group(data, 'describe', 'billing')).stdout.documents
    expect(described).toMatchObject({ lag: 8, protocolType: 'consumer' })
    expect(described.members).toHaveLength(1)
  })

  test('prints for people', async () => {
    const data = await makeGroupData()
    expect((await run('group', 'list', '--data', data)).out.split('\n')).toEqual([
      'GROUP    TOPICS  PARTITIONS  LAG',
      'billing  orders           2    7',
      '',
    ])
    expect((await run('group', 'describe', 'billing', '--data', data)).out.split('\n')).toEqual([
      'billing: generation 0, no members noted',
      'TOPIC   PARTITION  COMMITTED  END  LAG',
      'orders          0          3   10    7',
      'orders          1          5    5    0',
      '',
    ])
    const reset = ['group', 'reset', 'billing', '--data', data, '--topic', 'orders:0']
    expect((await run(...reset, '--to', 'latest')).out.split('\n')).toEqual([
      'TOPIC   PARTITION  COMMITTED  NEW',
      'orders          0          3   10',
      'billing: would be reset like this. Run it again with --yes.',
      '',
    ])
  })

  test('shows what a reset would do, and does it with --yes', async () => {
    const data = await makeGroupData()
    const before = hashTree(data)
    const planned = await group(data, 'reset', 'billing', '--topic', 'orders', '--to', 'earliest')
    const partitions = [
      { topic: 'orders', partition: 0, committedOffset: 3, newOffset: 0 },
      { topic: 'orders', partition: 1, committedOffset: 5, newOffset: 0 },
    ]
    expect(planned.stdout.documents).toEqual([{ group: 'billing', reset: false, partitions }])
    expect(hashTree(data)).toEqual(before)
    const done = await group(
      ...[data, 'reset', 'billing', '--topic', 'orders'],
      ...['--to', 'earliest', '--yes'],
    )
    expect(done.stdout.documents).toEqual([{ group: 'billing', reset: true, partitions }])
    expect(await committedIn(data)).toEqual([0, 0])
  })

  test.each([
    ['orders', ['--to', 'latest'], [10, 5]],
    ['orders:0', ['--to', '8'], [8, 5]],
    ['orders', ['--to', '8'], [8, 5]],
    ['orders', ['--to', '1970-01-01T00:00:02Z'], [2, 2]],
    ['orders:1', ['--to', '2100-01-01'], [3, 5]],
    ['orders', ['--shift-by', '-2'], [1, 3]],
    ['orders:0', ['--shift-by', '4'], [7, 5]],
  ])('resets %s %j', async (topic, to, committed) => {
    const data = await makeGroupData()
    const reset = ['billing', '--topic', topic, ...to, '--yes']
    expect((await group(data, 'reset', ...reset)).code).toBe(0)
    expect(await committedIn(data)).toEqual(committed)
  })

  test('resets and deletes nothing while somebody has the directory open', async () => {
    const data = await makeGroupData()
    await using varve = await openData(data)
    await varve.consumer({ group: 'billing', topics: ['orders'] }).start()
    for (const argv of [
      ['reset', 'billing', '--topic', 'orders', '--to', 'latest', '--yes'],
      ['delete', 'billing', '--yes'],
    ]) {
      const { code, err } = await group(data, ...argv)
      expect(code, argv[0]).toBe(3)
      expect(err, argv[0]).toContain('VARVE_LOG_LOCKED')
    }
    expect(await committedIn(data)).toEqual([3, 5])
  })

  test('resets a group whose members died with their process', async () => {
    const data = await makeGroupData()
    {
      await using varve = await openData(data)
      const groups = await varve.groups()
      const metadata = {
        ...{ protocolType: 'consumer', generation: 3, protocol: 'range', leader: 'm' },
        currentStateTimestamp: 1,
        members: [
          {
            ...{ memberId: 'm', groupInstanceId: null, clientId: 'c', clientHost: 'h' },
            ...{ rebalanceTimeoutMs: 60_000, sessionTimeoutMs: 45_000 },
            ...{ subscription: Buffer.alloc(0), assignment: Buffer.alloc(0) },
          },
        ],
      }
      await groups.storeOf('billing').saveMetadata('billing', metadata, { timestamp: 1 })
    }
    const reset = ['reset', 'billing', '--topic', 'orders', '--to', '1', '--yes']
    expect((await group(data, ...reset)).code).toBe(0)
    expect(await committedIn(data)).toEqual([1, 1])
    expect((await group(data, 'delete', 'billing', '--yes')).code).toBe(0)
    expect((await group(data, 'list')).stdout.documents).toEqual([])
  })

  test('deletes a group with --yes only', async () => {
    const data = await makeGroupData()
    expect((await group(data, 'delete', 'billing')).stdout.documents).toEqual([
      { group: 'billing', deleted: false, offsets: 2 },
    ])
    expect(await committedIn(data)).toEqual([3, 5])
    expect((await group(data, 'delete', 'billing', '--yes')).stdout.documents).toEqual([
      { group: 'billing', deleted: true, offsets: 2 },
    ])
    expect((await group(data, 'list')).stdout.documents).toEqual([])
    expect((await group(data, 'describe', 'billing')).code).toBe(3)
  })

  test('makes nothing of a name that was mistyped', async () => {
    const data = await makeGroupData()
    const before = hashTree(data)
    for (const argv of [
      ['describe', 'biling'],
      ['reset', 'biling', '--topic', 'orders', '--to', 'latest', '--yes'],
      ['reset', 'billing', '--topic', 'oders', '--to', 'latest', '--yes'],
      ['reset', 'billing', '--topic', 'orders:2', '--to', 'latest', '--yes'],
      ['delete', 'biling', '--yes'],
    ]) {
      expect((await group(data, ...argv)).code, argv.join(' ')).toBe(3)
    }
    expect(hashTree(data)).toEqual(before)
    const elsewhere = newPath()
    for (const argv of [['list'], ['describe', 'g'], ['delete', 'g', '--yes']]) {
      expect((await group(elsewhere, ...argv)).code, argv.join(' ')).toBe(3)
      expect(existsSync(elsewhere)).toBe(false)
    }
  })

  test.each([
    [['--topic', 'orders']],
    [['--to', 'latest']],
    [['--topic', 'orders', '--to', 'soon']],
    [['--topic', 'orders', '--to', '1', '--shift-by', '1']],
    [['--topic', 'orders', '--shift-by', '0.5']],
    [['--topic', 'orders:x', '--to', '1']],
    [['--topic', 'orders:0:1', '--to', '1']],
  ])('does not know how to reset %j', async (argv) => {
    const data = await makeGroupData()
    expect((await group(data, 'reset', 'billing', ...argv)).code).toBe(2)
  })
})
