import {
  type BackupPlan,
  decodeBackupPlan,
  type PlanKind,
  type PlannedRepository,
} from '@varve/backup'
import { nodeFileSystem } from '@varve/log'
import { readSmallFile } from '@varve/log/files'
import { InvalidArgumentError } from '@varve/record'
import type { CommandIo } from '../command-io.ts'
import { type BackupJob, isForeseen, runJobs } from './jobs.ts'
import { lastBackupMs } from './last-backup.ts'
import { withMetricsFile } from './metrics-file.ts'
import type { RepositoryAccess } from './repository-access.ts'
import { keepSchedules, type StandingJob } from './standing.ts'
import { pruneRepository } from './upkeep.ts'

export interface PlanOptions {
  /** A file; see docs/backup.md. */
  readonly plan: string
  readonly metricsFile?: string | undefined
  readonly json: boolean
}

const planBytesMax = 1024 * 1024

/** Throws InvalidPlanError, InvalidArgumentError. */
export function readPlan(path: string): BackupPlan {
  const bytes = readSmallFile(nodeFileSystem, path, planBytesMax)
  if (bytes === null) throw new InvalidArgumentError('plan', path, 'is not there')
  return decodeBackupPlan(bytes, path)
}

/** Takes a backup into every repository of a plan. */
export function runPlan(
  options: PlanOptions & {
    /** Null: what the plan says for each repository. */
    readonly kind: PlanKind | null
    readonly point?: string | undefined
  },
  io: CommandIo,
): Promise<number> {
  const plan = readPlan(options.plan)
  const { json, kind, point } = options
  const jobs = plan.repositories.map((planned) => ({
    ...jobOf(plan, planned, kind ?? planned.kind),
    point,
  }))
  return withMetricsFile(options.metricsFile, (metrics) => runJobs(jobs, { json, metrics }, io))
}

/** Takes the backups of a plan when their schedules say so, until it is told to end. */
export async function schedulePlan(options: PlanOptions, io: CommandIo): Promise<number> {
  const plan = readPlan(options.plan)
  const jobs: StandingJob[] = []
  for (const planned of plan.repositories) {
    for (const { rule, kind } of planned.schedules) {
      const lastRunMs = await lastRun(planned, plan.source, kind, io)
      jobs.push({ rule, lastRunMs, job: jobOf(plan, planned, kind) })
    }
  }
  if (jobs.length === 0) {
    throw new InvalidArgumentError('plan', options.plan, 'has no schedules: give one a repository')
  }
  return await keepSchedules(jobs, options, io)
}

/** Shows, or does, what the policies of a plan say. */
export async function prunePlan(
  options: PlanOptions & { readonly execute: boolean },
  io: CommandIo,
): Promise<number> {
  const { execute, json } = options
  const kept = readPlan(options.plan).repositories.filter(({ keep }) => keep !== null)
  if (kept.length === 0) {
    throw new InvalidArgumentError('plan', options.plan, 'has no repository with a keep policy')
  }
  for (const planned of kept) {
    if (planned.keep === null) continue
    const { policy, graceMs } = planned.keep
    if (!json) await io.stdout.write(`${planned.repository}\n`)
    await pruneRepository({ ...accessOf(planned), policy, graceMs, execute, json }, io)
  }
  return 0
}

function jobOf(plan: BackupPlan, planned: PlannedRepository, kind: PlanKind): BackupJob {
  const { keep, tags, threads, readLimit, uploadLimit } = planned
  const isIndependent = kind === 'independent'
  return {
    ...accessOf(planned),
    data: plan.data,
    source: plan.source,
    kind: isIndependent ? 'full' : kind,
    independent: isIndependent,
    threads: threads ?? undefined,
    pruning: keep?.isExecuted === true ? keep : undefined,
    ...{ tags, readLimit, uploadLimit },
  }
}

function accessOf({ repository, passphraseFile, key }: PlannedRepository): RepositoryAccess {
  return { repository, passphraseFile: passphraseFile ?? undefined, key: key ?? undefined }
}

/**
 * When a backup of that kind was taken last, so that one that was missed can be made up for. Any
 * backup counts for an incremental one. Where it cannot be found out nothing is made up for.
 */
async function lastRun(
  planned: PlannedRepository,
  source: string,
  kind: PlanKind,
  io: CommandIo,
): Promise<number | null> {
  try {
    return await lastBackupMs(accessOf(planned), source, kind)
  } catch (error) {
    if (!isForeseen(error)) throw error
    await io.stderr.write(`${planned.repository}: ${error.message}\n`)
    return null
  }
}
