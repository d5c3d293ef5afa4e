import { Standby } from '@varve/backup'
import { restoreHooks } from '@varve/broker'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount, formatBytes, formatDuration } from '../human.ts'
import { LineOutput } from '../output.ts'
import { Progress } from '../progress.ts'
import { openRepository, type RepositoryAccess } from './repository-access.ts'
import { selectionOf } from './restore-wishes.ts'
import { aborted } from './standing.ts'

export interface RestoreFollowOptions extends RepositoryAccess {
  /** The directory that is kept like the newest backup. */
  readonly to: string
  /** Of which source; undefined: of whichever has the newest. */
  readonly source?: string | undefined
  /** Names of topics, or `topic:partition`; empty: all. */
  readonly topics: readonly string[]
  readonly intervalMs: number
  readonly allowDamage: boolean
  readonly threads?: number | undefined
  /** Bytes a second; 0 for no limit. */
  readonly readLimit: number
  readonly json: boolean
}

/**
 * Keeps a directory like the newest backup until it is told to end. A round that failed is said,
 * once for each reason, and tried again; what it says in the end is how the last one went.
 */
export async function followBackups(options: RestoreFollowOptions, io: CommandIo): Promise<number> {
  const { to, source = null, intervalMs, threads, json } = options
  const select = selectionOf(options)
  await using repository = await openRepository(options)
  const lines = new LineOutput(io.stdout)
  const say = (document: object, text: string): void => {
    if (json) lines.json(document)
    else lines.line(text)
    lines.flush().catch(() => undefined)
  }
  const progress = new Progress(io, { activity: 'restoring', totalBytes: null })
  let said = ''
  const standby = new Standby(repository, {
    ...{ to, source, intervalMs },
    allowsDamage: options.allowDamage,
    readBytesPerSecond: options.readLimit,
    clock: io.clock,
    signal: io.signal,
    hooks: restoreHooks(),
    onProgress: ({ doneBytes, totalBytes, leftMs }) => {
      const left = leftMs === null ? '' : `${formatDuration(leftMs)} left`
      progress.update(doneBytes, `of ${formatBytes(totalBytes)} ${left}`)
    },
    onRestored: ({ backupId, partitions, totalBytes, gaps, durationMs }) => {
      said = ''
      progress.clear()
      const what = `${formatAmount(partitions.length, 'partition')}, ${formatBytes(totalBytes)}`
      const missing = gaps.length === 0 ? '' : `, ${formatAmount(gaps.length, 'gap')}`
      const text = `${to} is as ${backupId} (${what}${missing}), in ${formatDuration(durationMs)}`
      say({ backupId, to, partitions: partitions.length, totalBytes, gaps, durationMs }, text)
    },
    onError: ({ code, message, hint }) => {
      if (said === message) return
      said = message
      progress.clear()
      const advice = hint === undefined ? '' : ` (${hint})`
      say({ error: { code, message } }, `not yet: ${message}${advice}`)
    },
    ...(select !== null && { select }),
    ...(threads !== undefined && { threads }),
  })
  await Promise.race([aborted(io.signal), standby.ended])
  await standby.stop()
  return standby.status.error === null ? exitCodes.fine : exitCodes.findings
}
