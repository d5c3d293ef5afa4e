import {
  AuditLog,
  holdBackup,
  type KeepPolicy,
  listBackups,
  mirrorRepository,
  type PruneOptions,
  type PruneReport,
  pruneBackups,
  type Repository,
  readVerifications,
  releaseBackup,
  type Target,
} from '@varve/backup'
import { InvalidArgumentError } from '@varve/record'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount, formatBytes, formatTimestamp } from '../human.ts'
import { LineOutput } from '../output.ts'
import {
  openRepository,
  openTargetOf,
  type RepositoryAccess,
  unlockingOf,
} from './repository-access.ts'

export interface BackupPruneOptions extends RepositoryAccess {
  readonly policy: KeepPolicy
  /** Else it is only said. */
  readonly execute: boolean
  /** How long objects that nobody needs wait, in ms. */
  readonly graceMs: number
  readonly json: boolean
}

/** Shows which backups the policy keeps and which go; with `execute` those are removed. */
export async function pruneRepository(options: BackupPruneOptions, io: CommandIo): Promise<number> {
  const { policy, execute, graceMs, json } = options
  const hasKey = unlockingOf(options) !== null
  const repository = hasKey ? await openRepository(options) : null
  const target = repository?.target ?? (await openTargetOf(options))
  const report = await prune(target, repository, { policy, isExecuted: execute, graceMs }, io)
  const lines = new LineOutput(io.stdout)
  if (json) lines.json(documentOf(report))
  else sayPruned(lines, report, execute)
  await lines.flush()
  await target.close()
  return exitCodes.fine
}

/** Removes what a policy does not keep, of a repository that is open. */
export function pruneOpened(
  repository: Repository,
  wish: Pick<PruneOptions, 'policy' | 'graceMs'>,
  io: CommandIo,
): Promise<PruneReport> {
  return prune(repository.target, repository, { ...wish, isExecuted: true }, io)
}

/** Without a key names and times are enough, and notes of verification are believed. */
async function prune(
  target: Target,
  repository: Repository | null,
  wish: Pick<PruneOptions, 'policy' | 'graceMs' | 'isExecuted'>,
  io: CommandIo,
): Promise<PruneReport> {
  const notes = await readVerifications(target, repository?.keys.naming.idKey ?? null)
  const sound = [...notes.values()].filter(({ isSound }) => isSound)
  return await pruneBackups(target, {
    ...wish,
    repository,
    verified: new Set(sound.map(({ backupId }) => backupId)),
    signal: io.signal,
    clock: io.clock,
  })
}

function documentOf({ decisions, removed, swept }: PruneReport): object {
  const backups = decisions.map(({ candidate, reasons }) => {
    const { backupId, takenMs, isVerified } = candidate
    return { backupId, takenMs, isVerified, reasons }
  })
  return { executed: swept !== null, backups, removed, swept }
}

function sayPruned(
  lines: LineOutput,
  { decisions, removed, swept }: PruneReport,
  isExecuted: boolean,
): void {
  for (const { candidate, reasons } of decisions) {
    const fate = isExecuted ? 'removed' : 'would be removed'
    const why = reasons.length === 0 ? fate : `kept: ${reasons.join(', ')}`
    lines.line(`${candidate.backupId}  ${why}`)
  }
  if (swept === null) {
    const what = formatAmount(removed.length, 'backup')
    const none = 'no backup would be removed'
    lines.line(removed.length === 0 ? none : `${what} would be removed; --execute does it`)
    return
  }
  const { removedObjects, removedBytes, waitingObjects } = swept
  lines.line(`${formatAmount(removed.length, 'backup')} removed`)
  const gone = `${formatAmount(removedObjects, 'object')} (${formatBytes(removedBytes)}) removed`
  lines.line(`${gone}, ${formatAmount(waitingObjects, 'object')} to go when their grace is over`)
}

export interface BackupHoldOptions extends RepositoryAccess {
  /** Its id, or an unambiguous beginning of it. */
  readonly backup: string
  readonly json: boolean
}

/** Keeps a backup from being pruned. Needs no key. */
export function holdOne(options: BackupHoldOptions, io: CommandIo): Promise<number> {
  return setHold(options, io, true)
}

/** Lets it be pruned again. */
export function releaseOne(options: BackupHoldOptions, io: CommandIo): Promise<number> {
  return setHold(options, io, false)
}

async function setHold(
  options: BackupHoldOptions,
  io: CommandIo,
  isHeld: boolean,
): Promise<number> {
  const target = await openTargetOf(options)
  const names = await listBackups(target)
  const found = names.filter(({ backupId }) => backupId.startsWith(options.backup))
  const [only] = found
  if (only === undefined || found.length > 1) {
    const rule = found.length > 1 ? 'begins more than one id' : 'is the id of no backup here'
    throw new InvalidArgumentError('backup', options.backup, rule)
  }
  if (isHeld) await holdBackup(target, only.backupId)
  else await releaseBackup(target, only.backupId)
  const lines = new LineOutput(io.stdout)
  if (options.json) lines.json({ backupId: only.backupId, isHeld })
  else lines.line(`${only.backupId} ${isHeld ? 'is held' : 'is released'}`)
  await lines.flush()
  await target.close()
  return exitCodes.fine
}

export interface BackupMirrorOptions {
  readonly from: string
  readonly to: string
  readonly removeOthers: boolean
  readonly json: boolean
}

/** Brings a second repository to the state of a first. Needs no key. */
export async function mirrorTo(options: BackupMirrorOptions, io: CommandIo): Promise<number> {
  const from = await openTargetOf({ repository: options.from })
  const to = await openTargetOf({ repository: options.to })
  const report = await mirrorRepository(from, to, {
    removesOthers: options.removeOthers,
    signal: io.signal,
    clock: io.clock,
  })
  const lines = new LineOutput(io.stdout)
  if (options.json) {
    lines.json(report)
  } else {
    const { copiedBackups, copiedObjects, copiedBytes, removedBackups } = report
    const objects = `${formatAmount(copiedObjects, 'object')}, ${formatBytes(copiedBytes)}`
    lines.line(`${formatAmount(copiedBackups, 'backup')} copied (${objects})`)
    if (removedBackups > 0) lines.line(`${formatAmount(removedBackups, 'backup')} removed there`)
  }
  await lines.flush()
  await Promise.all([from.close(), to.close()])
  return exitCodes.fine
}

export interface BackupAuditOptions extends RepositoryAccess {
  readonly json: boolean
}

/** Prints what was done to a repository; rejects where that record was edited. */
export async function showAudit(options: BackupAuditOptions, io: CommandIo): Promise<number> {
  const repository = unlockingOf(options) === null ? null : await openRepository(options)
  const target = repository?.target ?? (await openTargetOf(options))
  const entries = await new AuditLog(target, repository?.keys.naming.idKey ?? null).read()
  const lines = new LineOutput(io.stdout)
  for (const { sequence, atMs, action, details, actor } of entries) {
    if (options.json) lines.json({ sequence, atMs, action, details, actor })
    else lines.line(`${formatTimestamp(atMs)}  ${action}  ${details}${actor ? `  ${actor}` : ''}`)
    if (lines.isFull) await lines.flush()
  }
  await lines.flush()
  await target.close()
  return exitCodes.fine
}
