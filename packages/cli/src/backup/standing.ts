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
import { openRepository, type RepositoryAccess } from './repository-access.ts'
import { lastBackupMs } from './upkeep.ts'

export interface BackupFollowOptions extends RepositoryAccess {
  readonly data: string
  /** The name under which the source's backups are kept. */
  readonly source?: string | undefined
  readonly intervalMs: number
  readonly json: boolean
}

/** Backs up whenever there is something new, until it is told to end. */
export async function followSource(options: BackupFollowOptions, io: CommandIo): Promise<number> {
  const { data, source, intervalMs, json } = options
  await using repository = await openRepository(options)
  const lines = new LineOutput(io.stdout)
  const say = (document: object, text: string): void => {
    if (json) lines.json(document)
    else lines.line(text)
    lines.flush().catch(() => undefined)
  }
  const follow: FollowOptions = {
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
  const follower = new BackupFollower(repository, new DirectorySource(data), follow)
  await Promise.race([aborted(io.signal), follower.ended])
  await follower.stop()
  return follower.status.error === null ? exitCodes.fine : exitCodes.findings
}

export interface BackupScheduleOptions extends RepositoryAccess {
  readonly source: string
  readonly rule: ScheduleRule
  /** One run, as the command has it; its exit code. */
  readonly run: () => Promise<number>
  readonly json: boolean
}

/** Runs backups when a cron expression says so, until it is told to end. */
export async function keepSchedule(options: BackupScheduleOptions, io: CommandIo): Promise<number> {
  const lastRunMs = await lastBackupMs(options, options.source)
  const lines = new LineOutput(io.stdout)
  let worst: number = exitCodes.fine
  const say = async (nextMs: number): Promise<void> => {
    if (options.json) lines.json({ nextMs })
    else lines.line(`the next backup is due at ${formatTimestamp(nextMs)}`)
    await lines.flush()
  }
  const run = async (): Promise<void> => {
    const code = await options.run()
    worst = Math.max(worst, code)
  }
  const schedule = new BackupSchedule(options.rule, run, {
    clock: io.clock,
    lastRunMs,
    onError: (error) => {
      worst = exitCodes.failure
      const text = error instanceof Error ? error.message : String(error)
      io.stderr.write(`the backup failed: ${text}\n`).catch(() => undefined)
    },
  })
  await say(schedule.nextMs)
  schedule.start()
  await aborted(io.signal)
  await schedule.stop()
  return worst
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
