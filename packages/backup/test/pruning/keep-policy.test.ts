import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { decideKeep, type KeepCandidate, type KeepPolicy } from '../../src/pruning/keep-policy.ts'

const nowMs = Date.UTC(2026, 10, 21, 12)
const hourMs = 3_600_000

function candidate(time: string, about: Partial<KeepCandidate> = {}): KeepCandidate {
  const takenMs = Date.parse(time)
  return { backupId: time, takenMs, tags: [], isHeld: false, isVerified: false, ...about }
}

function kept(candidates: readonly KeepCandidate[], policy: KeepPolicy): readonly string[] {
  return decideKeep(candidates, policy, nowMs)
    .filter(({ reasons }) => reasons.length > 0)
    .map((decision) => decision.candidate.backupId)
}

const threeDays = [
  '2026-11-18T08:00:00Z',
  '2026-11-18T20:00:00Z',
  '2026-11-19T08:00:00Z',
  '2026-11-20T08:00:00Z',
  '2026-11-20T20:00:00Z',
].map((time) => candidate(time))

test('the newest ones stay', () => {
  expect(kept(threeDays, { last: 2 })).toEqual(['2026-11-20T08:00:00Z', '2026-11-20T20:00:00Z'])
})

test('of each day the newest one stays, for as many days as have one', () => {
  expect(kept(threeDays, { daily: 2 })).toEqual(['2026-11-19T08:00:00Z', '2026-11-20T20:00:00Z'])
  expect(kept(threeDays, { daily: 9 })).toEqual([
    '2026-11-18T20:00:00Z',
    '2026-11-19T08:00:00Z',
    '2026-11-20T20:00:00Z',
  ])
})

test('hours, weeks from Monday, months and years count alike', () => {
  const times = [
    '2024-12-31T23:59:59Z',
    '2025-12-31T00:00:00Z',
    '2026-11-15T23:59:00Z',
    '2026-11-16T00:00:00Z',
    '2026-11-16T00:59:00Z',
  ].map((time) => candidate(time))
  expect(kept(times, { hourly: 2 })).toEqual(['2026-11-15T23:59:00Z', '2026-11-16T00:59:00Z'])
  expect(kept(times, { weekly: 2 })).toEqual(['2026-11-15T23:59:00Z', '2026-11-16T00:59:00Z'])
  expect(kept(times, { monthly: 2 })).toEqual(['2025-12-31T00:00:00Z', '2026-11-16T00:59:00Z'])
  expect(kept(times, { yearly: 3 })).toEqual([
    '2024-12-31T23:59:59Z',
    '2025-12-31T00:00:00Z',
    '2026-11-16T00:59:00Z',
  ])
})

test('what is young, tagged or held stays', () => {
  const backups = [
    candidate('2026-11-01T00:00:00Z', { tags: ['release'] }),
    candidate('2026-11-02T00:00:00Z', { isHeld: true }),
    candidate('2026-11-03T00:00:00Z', { tags: ['nightly'] }),
    candidate('2026-11-21T09:00:00Z'),
  ]
  expect(kept(backups, { withinMs: 4 * hourMs, tags: ['release'] })).toEqual([
    '2026-11-01T00:00:00Z',
    '2026-11-02T00:00:00Z',
    '2026-11-21T09:00:00Z',
  ])
})

test('a verified backup stays when all the newer ones are not verified', () => {
  const backups = [
    candidate('2026-11-01T00:00:00Z', { isVerified: true }),
    candidate('2026-11-02T00:00:00Z', { isVerified: true }),
    candidate('2026-11-03T00:00:00Z'),
  ]
  expect(kept(backups, { last: 1 })).toEqual(['2026-11-02T00:00:00Z', '2026-11-03T00:00:00Z'])
  expect(kept(backups, { last: 1, verified: 2 })).toHaveLength(3)
  expect(kept(backups, { last: 1, verified: 0 })).toEqual(['2026-11-03T00:00:00Z'])
})

test('every reason is told', () => {
  const [decision] = decideKeep(
    [candidate('2026-11-21T11:00:00Z', { isVerified: true })],
    {
      last: 1,
      daily: 1,
      withinMs: 2 * hourMs,
    },
    nowMs,
  )
  expect(decision?.reasons).toEqual(['last', 'daily', 'within', 'verified'])
})

test.each<[string, KeepPolicy]>([
  ['nothing', {}],
  ['verified ones only', { verified: 3 }],
  ['a fraction', { last: 1.5 }],
  ['less than none', { daily: -1 }],
  ['a time that is none', { last: 1, withinMs: Number.NaN }],
])('a policy that keeps %s is refused', (_, policy) => {
  expect(() => decideKeep(threeDays, policy, nowMs)).toThrow(InvalidArgumentError)
})
