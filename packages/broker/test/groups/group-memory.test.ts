import { expect, test } from 'vitest'
import { GroupMemoryFullError } from '../../src/groups/group-errors.ts'
import { identityOf, RemoteGroupBench } from './group-bench.ts'

const nameBytes = 'range'.length

const offering = (sizeBytes: number) => ({
  protocols: [{ name: 'range', metadata: Buffer.alloc(sizeBytes) }],
})

test('members are counted with what they say and are given, until they are gone', async () => {
  const { group, memory, ...bench } = benchOf()
  const alone = await bench.join('a', offering(1000))
  await group.sync({ ...identityOf(alone), assignments: new Map([[alone.memberId, ofSize(300)]]) })
  expect(memory.usedBytes).toBe(1300 + nameBytes)
  const joining = bench.join('b', offering(2000))
  const a = await bench.join('a', { memberId: alone.memberId, ...offering(1500) })
  const b = await joining
  const memberIds = [a.memberId, b.memberId]
  const assignments = new Map(memberIds.map((id) => [id, ofSize(200)]))
  await group.sync({ ...identityOf(a), assignments })
  expect(memory.usedBytes).toBe(3900 + 2 * nameBytes)
  group.leave(memberIds.map((memberId) => ({ memberId, groupInstanceId: null })))
  expect(memory.usedBytes).toBe(0)
})

test('of a static member that comes back only what it says now is counted', async () => {
  const { memory, ...bench } = benchOf()
  await bench.join('a', { groupInstanceId: 'i', ...offering(100) })
  void bench.join('a', { groupInstanceId: 'i', ...offering(500) }).catch(() => undefined)
  expect(memory.usedBytes).toBe(500 + nameBytes)
})

test('who finds no room is refused, and the group goes on', async () => {
  const { group, ...bench } = benchOf()
  const a = await bench.join('a', offering(3000))
  await expect(bench.join('b', offering(3000))).rejects.toBeInstanceOf(GroupMemoryFullError)
  const given = (sizeBytes: number) => {
    const assignments = new Map([[a.memberId, ofSize(sizeBytes)]])
    return group.sync({ ...identityOf(a), assignments })
  }
  await expect(given(4000)).rejects.toMatchObject({ kafkaErrorCode: 81, limitBytes: 5000 })
  expect(await given(10)).toHaveLength(10)
})

function benchOf() {
  const bench = new RemoteGroupBench()
  const { group, memory } = bench
  return { group, memory, join: bench.join.bind(bench) }
}

function ofSize(sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes)
}
