import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignRanges } from '../../src/groups/consumer/range-server-assignor.ts'
import type { AssigningMember } from '../../src/groups/consumer/server-assignor.ts'
import { assignUniformly } from '../../src/groups/consumer/uniform-server-assignor.ts'

type Targets = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<number>>>

function member(
  memberId: string,
  topics: readonly string[],
  target: ReadonlyMap<string, ReadonlySet<number>> = new Map(),
  groupInstanceId: string | null = null,
): AssigningMember {
  return { memberId, groupInstanceId, topicIds: new Set(topics), target }
}

function shown(targets: Targets): Record<string, string> {
  const entries = [...targets].map(([memberId, target]): [string, string] => {
    const topics = [...target].map(([topic, all]) => `${topic}:${[...all].sort().join()}`)
    return [memberId, topics.sort().join(' ')]
  })
  return Object.fromEntries(entries.sort())
}

test('ranges are dealt alike in topics of as many partitions, the first ones longer', () => {
  const counts = new Map([
    ['t', 5],
    ['u', 5],
  ])
  const members = [member('b', ['t', 'u']), member('a', ['t', 'u'])]
  const partitionCount = (topic: string): number => counts.get(topic) ?? 0
  expect(shown(assignRanges({ members, partitionCount }))).toEqual({
    a: 't:0,1,2 u:0,1,2',
    b: 't:3,4 u:3,4',
  })
  const fixed = [member('a', ['t']), member('z', ['t', 'u'], new Map(), 'one')]
  expect(shown(assignRanges({ members: fixed, partitionCount }))).toEqual({
    a: 't:3,4',
    z: 't:0,1,2 u:0,1,2,3,4',
  })
})

test('ranges are nothing for members that are too many', () => {
  const members = ['a', 'b', 'c'].map((name) => member(name, ['t']))
  const dealt = assignRanges({ members, partitionCount: () => 2 })
  expect(shown(dealt)).toEqual({ a: 't:0', b: 't:1', c: '' })
})

test('uniform parts differ by one at most, and what can stay stays', () => {
  const before = new Map([['t', new Set([0, 1, 2, 3, 4])]])
  const members = [member('a', ['t'], before), member('b', ['t'])]
  const dealt = assignUniformly({ members, partitionCount: () => 5 })
  expect(shown(dealt)).toEqual({ a: 't:0,1,2', b: 't:3,4' })
  expect(assignUniformly({ members: [], partitionCount: () => 5 }).size).toBe(0)
})

const topics = ['t', 'u', 'v']
const group = fc.record({
  counts: fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 3, maxLength: 3 }),
  members: fc.array(
    fc.record({ reads: fc.subarray(topics), had: fc.integer({ min: 0, max: 50 }) }),
    {
      minLength: 1,
      maxLength: 6,
    },
  ),
})

test.each([
  ['uniform', assignUniformly],
  ['range', assignRanges],
])('with %s each partition that anybody reads has one reader', (_name, assign) => {
  fc.assert(
    fc.property(group, ({ counts, members: drawn }) => {
      const partitionCount = (topic: string): number => counts[topics.indexOf(topic)] ?? 0
      const taken = new Set<string>()
      const members = drawn.map(({ reads, had }, index) => {
        // What members had, overlaps nowhere, and may be gone.
        const all = topics.flatMap((topic) => [0, 1, 2, 3].map((each) => [topic, each] as const))
        const target = new Map<string, Set<number>>()
        for (const [topic, each] of all.filter((_, at) => (had + at) % (index + 2) === 0)) {
          if (taken.has(`${topic}${each}`)) continue
          taken.add(`${topic}${each}`)
          target.set(topic, new Set([...(target.get(topic) ?? []), each]))
        }
        return member(`m${index}`, reads, target)
      })
      const dealt = assign({ members, partitionCount })
      const found = [...dealt].flatMap(([memberId, target]) =>
        [...target].flatMap(([topic, all]) => {
          expect(members.find((each) => each.memberId === memberId)?.topicIds).toContain(topic)
          return [...all].map((each) => `${topic}${each}`)
        }),
      )
      const read = topics.filter((topic) => members.some(({ topicIds }) => topicIds.has(topic)))
      const wanted = read.flatMap((topic) =>
        Array.from({ length: partitionCount(topic) }, (_, each) => `${topic}${each}`),
      )
      expect(found.sort()).toEqual(wanted.sort())
      if (assign === assignRanges || !drawn.every(({ reads }) => reads.length === 3)) return
      const sizes = [...dealt.values()].map((target) =>
        [...target.values()].flatMap((all) => [...all]),
      )
      const lengths = sizes.map(({ length }) => length)
      expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1)
    }),
  )
})
