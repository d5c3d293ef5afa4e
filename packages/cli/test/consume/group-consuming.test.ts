import { GroupListing } from '@varve/broker'
import { describe, expect, test } from 'vitest'
import { main } from '../../src/main.ts'
import { captureIo, hashTree, run, runWith } from '../captured-io.ts'
import { makeGroupData, newPath, openData } from '../group-fixture.ts'

const consume = (data: string, ...argv: readonly string[]) =>
  run('consume', 'orders', '--data', data, ...argv)

/** Where the group goes on, by partition. */
async function committedIn(data: string, group = 'billing'): Promise<number[]> {
  await using listing = await GroupListing.open(data)
  const found = listing.groups.find((each) => each.group === group)
  return found?.offsets.map(({ offset }) => offset) ?? []
}

describe('varve consume --group', () => {
  test('prints what the group has yet to read, once', async () => {
    const data = await makeGroupData()
    const { code, stdout } = await consume(data, '--group', 'billing', '--json')
    expect(code).toBe(0)
    expect(
      stdout.documents.map(({ partition, offset, value }) => [partition, offset, value]),
    ).toEqual([3, 4, 5, 6, 7, 8, 9].map((offset) => [0, offset, `0/${offset}`]))
    expect(await committedIn(data)).toEqual([10, 5])
    expect((await consume(data, '--group', 'billing')).out).toBe('')
  })

  test('reads all partitions where nothing was committed, from where it is told', async () => {
    const data = await makeGroupData()
    const lines = (await consume(data, '--group', 'new')).out.trimEnd().split('\n')
    expect(lines).toHaveLength(15)
    expect((await consume(data, '--group', 'late', '--from', 'latest')).out).toBe('')
  })

  test('commits only what --max let it print', async () => {
    const data = await makeGroupData()
    const first = await consume(data, '--group', 'billing', '--max', '2')
    expect(first.out).toBe('0/3\n0/4\n')
    expect(await committedIn(data)).toEqual([5, 5])
    expect((await consume(data, '--group', 'billing', '--max', '1')).out).toBe('0/5\n')
  })

  test('prints while it waits for more, and commits when it is interrupted', async () => {
    const data = await makeGroupData()
    const controller = new AbortController()
    const io = captureIo({ signal: controller.signal })
    const argv = ['consume', 'orders', '--data', data, '--group', 'billing', '--follow']
    const ended = main(argv, io)
    await expect.poll(() => io.stdout.text, { timeout: 10_000, interval: 5 }).toContain('0/9\n')
    controller.abort()
    expect(await ended).toBe(0)
    expect(await committedIn(data)).toEqual([10, 5])
  })

  test('commits nothing that nobody has read', async () => {
    const data = await makeGroupData()
    const { code } = await runWith(
      { closesAfterBytes: 0 },
      ...['consume', 'orders', '--data', data, '--group', 'billing'],
    )
    expect(code).toBe(0)
    expect(await committedIn(data)).toEqual([3, 5])
  })

  test('says so when somebody has the directory open, and excludes --partition', async () => {
    const data = await makeGroupData()
    const both = await consume(data, '--group', 'billing', '--partition', '0')
    expect(both.code).toBe(2)
    await using _varve = await openData(data)
    const { code, err } = await consume(data, '--group', 'billing')
    expect(code).toBe(3)
    expect(err).toContain('is locked')
    if (process.platform === 'linux') expect(err).toContain('this process has it open')
    expect(err).toContain('without --group')
  })

  test('makes nothing of a name that was mistyped', async () => {
    const data = await makeGroupData()
    const before = hashTree(data)
    const { code } = await run('consume', 'oders', '--data', data, '--group', 'billing')
    expect(code).toBe(3)
    expect(hashTree(data)).toEqual(before)
    expect((await consume(newPath(), '--group', 'billing')).code).toBe(3)
  })
})
