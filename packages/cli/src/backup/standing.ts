import { resolve } from 'node:path'
import {
  BackupFollower,
  BackupSchedule,
  DirectorySource,
  type FollowOptions,
  type ScheduleRule,
} from '@varve/backup'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatBytes, formatDuration, formatTimestamp } from '../human.ts'
import { LineOutput } from '../output.ts'
import { type BackupJob, isForeseen, type JobsOptions, runJob, sayFailed } from './jobs.ts'
import { type MetricsFile, withMetricsFile } from './metrics-file.ts'
import { openRepository, type RepositoryAccess } from './repository-access.ts'

export interface BackupFollowOptions extends RepositoryAccess {
  readonly data: string
  /** The name under which the source's backups are kept. */
  readonly source?: string | undefined
  readonly intervalMs: number
  /** Prometheus text, for node_exporter. */
  readonly metricsFile?: string | undefined
  readonly json: boolean
}

/** How often the metrics of what stands by are written, in ms. */
const metricsIntervalMs = 5000

/** Backs up whenever there is something new, until it is told to end. */
export function followSource(options: BackupFollowOptions, io: CommandIo): Promise<number> {
  return withMetricsFile(options.metricsFile, (metrics) => follow(options, metrics, io))
}

async function follow(
  options: BackupFollowOptions,
  metrics: MetricsFile | null,
  io: CommandIo,
): Promise<number> {
  const { data, source, intervalMs, json } = options
  await using repository = await openRepository(options)
  await using _ = metrics?.keepWriting(repository, io.clock, metricsIntervalMs)
  const lines = new LineOutput(io.stdout)
  const say = (document: object, text: string): void => {
    if (json) lines.json(document)
    else lines.line(text)
    lines.flush().catch(() => undefined)
  }
  const wish: FollowOptions = {
    intervalMs,
    clock: io.clock,
    source: source ?? resolve(data),
    onBackup: ({ backupId, figures, gaps }) => {
      const { readBytes, newBytes, durationMs } = figures
      const took = `${formatBytes(readBytes)} read, ${formatBytes(newBytes)} new`
      const text = `${backupId}  ${took}, ${formatDuration(durationMs)}`
      say({ backupId, readBytes, newBytes, durationMs, gaps }, text)
    },
    onError: ({ code, message }) => say({ error: { code, message } }, `failed: ${message}`),
  }
  const follower = new BackupFollower(repository, new DirectorySource(data), wish)
  await Promise.race([aborted(io.signal), follower.ended])
  await follower.stop()
  return follower.status.error === null ? exitCodes.fine : exitCodes.findings
}

/** Backups that are taken when a cron expression says so. */
export interface StandingJob {
  readonly rule: ScheduleRule
  readonly job: BackupJob
  /** When one was taken last, in ms since the epoch; null: nothing is made up for. */
  readonly lastRunMs: number | null
}

export interface BackupScheduleOptions {
  readonly metricsFile?: string | undefined
  readonly json: boolean
}

/** Takes backups when cron expressions say so, until it is told to end. */
export function keepSchedules(
  jobs: readonly StandingJob[],
  { metricsFile, json }: BackupScheduleOptions,
  io: CommandIo,
): Promise<number> {
  return withMetricsFile(metricsFile, async (metrics) => {
    const standing = new Standing({ json, metrics }, io)
    for (const job of jobs) await standing.add(job)
    return await standing.keep()
  })
}

class Standing {
  readonly #options: JobsOptions
  readonly #io: CommandIo
  readonly #schedules: BackupSchedule[] = []
  /** The last run of each repository: backups of one do not overlap. */
  readonly #last = new Map<string, Promise<unknown>>()
  readonly #broken = new AbortController()
  #worst: number = exitCodes.fine

  constructor(options: JobsOptions, io: CommandIo) {
    this.#options = options
    this.#io = io
  }

  async add({ rule, job, lastRunMs }: StandingJob): Promise<void> {
    const { clock, stdout } = this.#io
    const { repository, kind } = job
    const run = (): Promise<void> => {
      const before = this.#last.get(repository) ?? Promise.resolve()
      const running = before.then(() => this.#run(job))
      this.#last.set(repository, running)
      return running
    }
    const onError = (error: unknown): void => this.#broken.abort(error)
    const schedule = new BackupSchedule(rule, run, { clock, lastRunMs, onError })
    this.#schedules.push(schedule)
    const { nextMs } = schedule
    const lines = new LineOutput(stdout)
    const due = Number.isFinite(nextMs) ? `is due at ${formatTimestamp(nextMs)}` : 'is never due'
    if (this.#options.json) lines.json({ repository, kind, nextMs })
    else lines.line(`${repository}: the next ${kind} backup ${due}`)
    await lines.flush()
  }

  /** Rejects only with what nobody foresaw. */
  async keep(): Promise<number> {
    for (const schedule of this.#schedules) schedule.start()
    await aborted(AbortSignal.any([this.#io.signal, this.#broken.signal]))
    for (const schedule of this.#schedules) await schedule.stop()
    this.#broken.signal.throwIfAborted()
    return this.#worst
  }

  async #run(job: BackupJob): Promise<void> {
    const { json, metrics } = this.#options
    if (this.#io.signal.aborted) return
    try {
      const code = await runJob(job, this.#options, this.#io)
      // Others may have failed meanwhile.
      this.#worst = Math.max(this.#worst, code)
    } catch (error) {
      if (this.#io.signal.aborted) return
      if (!isForeseen(error)) throw error
      this.#worst = exitCodes.failure
      await sayFailed(job, error, json, this.#io)
    } finally {
      await metrics?.write()
    }
  }
}

/** Resolves when the user wants the end. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
