import { dirname, resolve } from 'node:path'
import { InvalidArgumentError } from '@varve/record'
import { JsonShape } from '../format/json-shape.ts'
import { checkKeepPolicy, type KeepPolicy } from '../pruning/keep-policy.ts'
import { nextRunMs, type ScheduleRule } from './backup-schedule.ts'
import { InvalidPlanError } from './plan-errors.ts'
import { timeSpanMs, timeSpanRule } from './time-span.ts'

const missedKinds = ['once', 'skip'] as const
const planKinds = ['incremental', 'differential', 'full', 'independent'] as const

/** As the options of `varve backup run`: `independent` is full, and shares no object. */
export type PlanKind = (typeof planKinds)[number]

/** What is backed up, where to, when, and how long it stays. */
export interface BackupPlan {
  /** The data directory; absolute. */
  readonly data: string
  /** The name under which its backups are kept. */
  readonly source: string
  /** At least one, each another one. */
  readonly repositories: readonly PlannedRepository[]
}

export interface PlannedRepository {
  /** An absolute path, or `s3://bucket/prefix`. */
  readonly repository: string
  readonly passphraseFile: string | null
  readonly key: string | null
  /** Of backups that are not scheduled. */
  readonly kind: PlanKind
  readonly schedules: readonly PlannedSchedule[]
  /** Null: all stay. */
  readonly keep: PlannedKeep | null
  readonly tags: readonly string[]
  /** Null: as many as there are processors, at most two. */
  readonly threads: number | null
  /** Bytes a second; 0 for no limit. */
  readonly readLimit: number
  readonly uploadLimit: number
}

export interface PlannedSchedule {
  readonly rule: ScheduleRule
  readonly kind: PlanKind
}

export interface PlannedKeep {
  readonly policy: KeepPolicy
  /** How long objects that nobody needs wait, in ms. */
  readonly graceMs: number
  /** Whether what is not kept goes after each backup; else when somebody says so. */
  readonly isExecuted: boolean
}

/**
 * Reads a plan, which is JSON that people write. Paths in it are relative to the directory of its
 * file. Throws InvalidPlanError, which names the field.
 */
export function decodeBackupPlan(bytes: Buffer, file: string): BackupPlan {
  const shape = JsonShape.parse(
    bytes,
    file,
    (_, path, reason, cause) => new InvalidPlanError(file, path, reason, { cause }),
  )
  shape.only(['data', 'source', 'repositories'])
  const base = dirname(resolve(file))
  const data = resolve(base, filled(shape.get('data')))
  const list = shape.get('repositories')
  const repositories = list.list((each) => repositoryOf(each, base))
  if (repositories.length === 0) list.refuse('names none')
  const seen = new Set<string>()
  list.list((each) => {
    const { repository } = repositoryOf(each, base)
    if (seen.has(repository)) each.get('repository').refuse('is there twice')
    seen.add(repository)
  })
  return { data, source: shape.get('source').optional(filled) ?? data, repositories }
}

const repositoryFields = [
  ...['repository', 'passphraseFile', 'key', 'kind', 'schedules', 'keep', 'tags', 'threads'],
  ...['readLimit', 'uploadLimit'],
]

function repositoryOf(shape: JsonShape, base: string): PlannedRepository {
  const address = filled(shape.only(repositoryFields).get('repository'))
  const path = (name: string): string | null =>
    shape.get(name).optional((file) => resolve(base, filled(file)))
  const [passphraseFile, key] = [path('passphraseFile'), path('key')]
  if (passphraseFile !== null && key !== null) {
    shape.get('key').refuse('is one too many beside a passphraseFile')
  }
  const threads = shape.get('threads').optional((count) => count.count(64))
  if (threads === 0) shape.get('threads').refuse('must be at least 1')
  const kind = kindOf(shape)
  return {
    repository: /^[a-z0-9]+:\/\//.test(address) ? address : resolve(base, address),
    ...{ passphraseFile, key, kind, threads },
    schedules: shape.get('schedules').optional((list) => list.list(scheduleOf)) ?? [],
    keep: shape.get('keep').optional(keepOf),
    tags: shape.get('tags').optional((tags) => tags.list(filled)) ?? [],
    readLimit: shape.get('readLimit').optional((limit) => limit.count()) ?? 0,
    uploadLimit: shape.get('uploadLimit').optional((limit) => limit.count()) ?? 0,
  }
}

function kindOf(shape: JsonShape): PlanKind {
  return shape.get('kind').optional((kind) => kind.oneOf(planKinds)) ?? 'incremental'
}

function scheduleOf(shape: JsonShape): PlannedSchedule {
  shape.only(['cron', 'kind', 'timeZone', 'jitter', 'missed'])
  const rule = {
    cron: filled(shape.get('cron')),
    timeZone: shape.get('timeZone').optional(filled) ?? 'UTC',
    jitterMs: shape.get('jitter').optional(timeSpanOf) ?? 0,
    missed: shape.get('missed').optional((missed) => missed.oneOf(missedKinds)) ?? 'once',
  } as const
  const field = shape.get('timeZone').optional(() => 'timeZone') ?? 'cron'
  checked(shape.get('cron'), () => nextRunMs({ cron: rule.cron }, 0))
  checked(shape.get(field), () => nextRunMs(rule, 0))
  if (rule.jitterMs > 86_400_000) shape.get('jitter').refuse('is more than a day')
  return { rule, kind: kindOf(shape) }
}

const counts = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const

function keepOf(shape: JsonShape): PlannedKeep {
  shape.only([...counts, 'within', 'tags', 'verified', 'grace', 'execute'])
  const policy = {
    ...Object.fromEntries(
      counts.map((name) => [name, shape.get(name).optional((count) => count.count()) ?? 0]),
    ),
    withinMs: shape.get('within').optional(timeSpanOf) ?? 0,
    tags: shape.get('tags').optional((tags) => tags.list(filled)) ?? [],
    verified: shape.get('verified').optional((count) => count.count()) ?? 1,
  }
  checked(shape, () => checkKeepPolicy(policy))
  return {
    policy,
    graceMs: shape.get('grace').optional(timeSpanOf) ?? 86_400_000,
    isExecuted: shape.get('execute').optional((execute) => execute.boolean()) ?? false,
  }
}

/** Says of what the library refuses which field it was. */
function checked(shape: JsonShape, check: () => unknown): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    shape.refuse(`is refused: ${error.message}`, error)
  }
}

function filled(shape: JsonShape): string {
  const text = shape.text()
  return text === '' || text.includes('\0') ? shape.fail('a text that is not empty') : text
}

function timeSpanOf(shape: JsonShape): number {
  return timeSpanMs(shape.text()) ?? shape.refuse(timeSpanRule)
}
