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
