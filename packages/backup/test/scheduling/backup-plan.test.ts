import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBackupPlan } from '../../src/scheduling/backup-plan.ts'
import { InvalidPlanError } from '../../src/scheduling/plan-errors.ts'
import { timeSpanMs } from '../../src/scheduling/time-span.ts'
import { checkProperty } from '../property.ts'

const decode = (plan: unknown) =>
  decodeBackupPlan(Buffer.from(JSON.stringify(plan)), '/etc/varve/plan.json')

test('what a plan leaves out has its default, and its paths are relative to its file', () => {
  expect(decode({ data: '../data', repositories: [{ repository: 'backups' }] })).toEqual({
    data: '/etc/data',
    source: '/etc/data',
    repositories: [
      {
        repository: '/etc/varve/backups',
        ...{ passphraseFile: null, key: null, kind: 'incremental', schedules: [], keep: null },
        ...{ tags: [], threads: null, readLimit: 0, uploadLimit: 0 },
      },
    ],
  })
})

test('each repository has its own keys, schedules, limits and policy', () => {
  const { source, repositories } = decode({
    ...{ data: '/data', source: 'shop' },
    repositories: [
      { repository: '/mnt/backups', passphraseFile: 'pass', tags: ['a'], threads: 2 },
      {
        ...{ repository: 's3://bucket/shop', key: '/keys/writer.key', uploadLimit: 1000 },
        kind: 'independent',
        schedules: [
          { cron: '0 3 * * 0', kind: 'full', timeZone: 'Europe/Berlin', jitter: '5m' },
          { cron: '0 * * * *', missed: 'skip' },
        ],
        keep: { last: 3, weekly: 8, within: '30d', tags: ['keep'], grace: '2d', execute: true },
      },
    ],
  })
  expect(source).toBe('shop')
  expect(repositories[0]).toMatchObject({ passphraseFile: '/etc/varve/pass', tags: ['a'] })
  expect(repositories[1]).toMatchObject({
    ...{ repository: 's3://bucket/shop', key: '/keys/writer.key', kind: 'independent' },
    schedules: [
      { kind: 'full', rule: { cron: '0 3 * * 0', timeZone: 'Europe/Berlin', jitterMs: 300_000 } },
      { kind: 'incremental', rule: { timeZone: 'UTC', missed: 'skip' } },
    ],
    keep: {
      policy: { last: 3, hourly: 0, weekly: 8, withinMs: 30 * 86_400_000, verified: 1 },
      ...{ graceMs: 2 * 86_400_000, isExecuted: true },
    },
  })
})

const one = { repository: '/mnt/backups' }

test.each<readonly [path: string, plan: unknown]>([
  ['', []],
  ['.data', { repositories: [one] }],
  ['.data', { data: '', repositories: [one] }],
  ['.data', { data: 'a\0b', repositories: [one] }],
  ['.sources', { data: 'd', sources: 'x', repositories: [one] }],
  ['.repositories', { data: 'd' }],
  ['.repositories', { data: 'd', repositories: [] }],
  ['.repositories[0].repository', { data: 'd', repositories: [{}] }],
  ['.repositories[1].repository', { data: 'd', repositories: [one, one] }],
  ['.repositories[0].kind', { data: 'd', repositories: [{ ...one, kind: 'weekly' }] }],
  [
    '.repositories[0].key',
    { data: 'd', repositories: [{ ...one, key: 'k', passphraseFile: 'p' }] },
  ],
  ['.repositories[0].threads', { data: 'd', repositories: [{ ...one, threads: 0 }] }],
  ['.repositories[0].readLimit', { data: 'd', repositories: [{ ...one, readLimit: -1 }] }],
  ['.repositories[0].tags[1]', { data: 'd', repositories: [{ ...one, tags: ['a', 1] }] }],
  ['.repositories[0].keep', { data: 'd', repositories: [{ ...one, keep: {} }] }],
  ['.repositories[0].keep.last', { data: 'd', repositories: [{ ...one, keep: { last: 0.5 } }] }],
  [
    '.repositories[0].keep.within',
    { data: 'd', repositories: [{ ...one, keep: { within: 'x' } }] },
  ],
  [
    '.repositories[0].keep.keepLast',
    { data: 'd', repositories: [{ ...one, keep: { keepLast: 1 } }] },
  ],
  ...(
    [
      ['cron', { cron: 'every day' }],
      ['cron', {}],
      ['timeZone', { cron: '0 3 * * *', timeZone: 'Mars/North' }],
      ['jitter', { cron: '0 3 * * *', jitter: '2d' }],
      ['missed', { cron: '0 3 * * *', missed: 'twice' }],
    ] as const
  ).map(
    ([field, schedule]) =>
      [
        `.repositories[0].schedules[0].${field}`,
        { data: 'd', repositories: [{ ...one, schedules: [schedule] }] },
      ] as const,
  ),
])('a plan that is wrong in %j is refused, and it is said where', (path, plan) => {
  expect(() => decode(plan)).toThrow(
    expect.objectContaining({ code: 'VARVE_INVALID_PLAN', path, file: '/etc/varve/plan.json' }),
  )
})

test('whatever is in the file, a plan comes of it or an error that says where', () => {
  const fields = ['data', 'source', 'repositories', 'repository', 'kind', 'schedules', 'cron']
  const key = fc.oneof(fc.constantFrom(...fields, 'keep', 'last', 'within', 'tags'), fc.string())
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom('/a', '0 3 * * *', 'full', '1d', null, 1, -1, 1e300, true),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
    ),
  }))
  const text = fc.oneof(
    tree.map((plan) => JSON.stringify(plan)),
    fc.string(),
  )
  return checkProperty(text, 1000, (plan) => {
    try {
      decodeBackupPlan(Buffer.from(plan), 'plan.json')
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidPlanError)
    }
  })
})

test('time spans are read as people write them', () => {
  expect(['90s', '30m', '12h', '30d', '8w'].map(timeSpanMs)).toEqual([
    90_000, 1_800_000, 43_200_000, 2_592_000_000, 4_838_400_000,
  ])
  expect(['', '1', 'd', '-1d', '1.5h', '1y'].map(timeSpanMs)).toEqual(Array(6).fill(null))
})
