import { expect, test } from 'vitest'
import { payloadOf } from '../../src/harness/payload.ts'
import { appendInFlight } from '../../src/log/append-driver.ts'
import { CallerGroups } from '../../src/peers/caller-groups.ts'

const payload = payloadOf(100, 64)

test('what is appended while a group is committed is the next group', async () => {
  const sizes: number[] = []
  const groups = new CallerGroups(async (group) => {
    sizes.push(group.length)
    await new Promise((resolve) => setImmediate(resolve))
  })
  await appendInFlight(payload, 16, 64, (record) => groups.append(record))
  expect(sizes).toEqual([16, 16, 16, 16])
})

test('a commit that fails rejects those in its group, and no others', async () => {
  let commits = 0
  const groups = new CallerGroups(() => {
    commits += 1
    if (commits === 1) throw new Error('the disk is full')
    return undefined
  })
  const [record] = payload.records
  if (record === undefined) throw new Error('there is a payload')
  const first = groups.append(record)
  await expect(first).rejects.toThrow('the disk is full')
  await expect(groups.append(record)).resolves.toBeUndefined()
})

test('no turn of the event loop passes between one group and the next', async () => {
  let turns = 0
  let isOver = false
  const turn = (): void => {
    turns += 1
    if (!isOver) setImmediate(turn)
  }
  const groups = new CallerGroups(() => undefined)
  await appendInFlight(payload, 1, 1, (record) => groups.append(record))
  setImmediate(turn)
  const startedMs = performance.now()
  await appendInFlight(payload, 1, 1_000, (record) => groups.append(record))
  isOver = true
  expect(turns).toBeLessThan(2 + (performance.now() - startedMs) / 4)
})

test('a store that blocks lets timers have their turn', async () => {
  const groups = new CallerGroups(() => {
    const until = performance.now() + 1
    while (performance.now() < until) Math.sqrt(until)
    return undefined
  })
  let ticks = 0
  const timer = setInterval(() => {
    ticks += 1
  }, 1)
  await appendInFlight(payload, 1, 50, (record) => groups.append(record))
  clearInterval(timer)
  expect(ticks).toBeGreaterThan(3)
})
