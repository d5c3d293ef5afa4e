import {
  BackupCatalogue,
  DirectorySource,
  DirectoryTarget,
  Repository,
  restoreBackup,
  runBackup,
  verifyRepository,
} from '@varve/backup'
import { type FileSystem, nodeFileSystem } from '@varve/log'
import { removeTree } from '@varve/log/files'
import type { Payload } from '../payload/payload.ts'
import type { TaskFigure } from '../report/run-report.ts'
import { BenchFailedError } from './bench-errors.ts'
import { fillLog, fittingLog } from './bench-log.ts'
import { ScratchDirectory } from './bench-place.ts'
import { requireRoom } from './disk-room.ts'
import { checkRepeat, type TaskContext, taskFigure, timed } from './task-timing.ts'

export interface BackupRunOptions {
  /** In which a scratch directory is made, and removed. */
  readonly directory: string
  /** Likewise, for the repository: another disk. @defaultValue `directory` */
  readonly repository?: string
  readonly payload: Payload
  readonly sizeBytes: number
  readonly segmentBytes: number
  readonly isEncrypted: boolean
  readonly fs?: FileSystem
}

interface Paths {
  readonly data: string
  readonly repository: string
  readonly state: string
  readonly restored: string
}

const passphrase = 'nothing of value is kept by a benchmark'

/** Backs a log up in full, verifies every byte of the repository, and restores it. */
export async function runBackups(
  options: BackupRunOptions,
  context: TaskContext,
): Promise<readonly TaskFigure[]> {
  const { directory, fs = nodeFileSystem, isEncrypted } = options
  checkRepeat(context.repeat)
  const { payload, segmentBytes } = options
  const log = fittingLog(payload, { segmentBytes, acks: 'none' })
  // The log, its restored copy, and a repository that is as large where nothing can be compressed.
  const { repository, sizeBytes } = options
  await requireRoom(directory, (repository === undefined ? 3 : 2) * sizeBytes, fs)
  if (repository !== undefined) await requireRoom(repository, sizeBytes, fs)
  await using scratch = await ScratchDirectory.make(directory, { fs })
  await using other = await ScratchDirectory.make(options.repository ?? directory, { fs })
  const data = `${scratch.path}/data`
  const filled = await fillLog(data, {
    payload,
    nextKey: () => null,
    until: { bytes: options.sizeBytes },
    log,
    ...(context.signal !== undefined && { signal: context.signal }),
    onProgress: (bytes) => context.onProgress(`writing the log, ${Math.floor(bytes / 1e6)} MB`),
  })
  const times = { backup: [] as number[], verify: [] as number[], restore: [] as number[] }
  let storedBytes = 0
  for (let round = 1; round <= context.repeat; round++) {
    const paths = {
      data,
      repository: `${other.path}/repository-${round}`,
      state: `${scratch.path}/state-${round}`,
      restored: `${scratch.path}/restored-${round}`,
    }
    const took = await once(paths, isEncrypted, round, context)
    times.backup.push(took.backup)
    times.verify.push(took.verify)
    times.restore.push(took.restore)
    storedBytes = sizeOf(fs, paths.repository)
    for (const path of [paths.repository, paths.restored]) await removeTree(fs, path)
  }
  const details = { storedBytes }
  return (['backup', 'verify', 'restore'] as const).map((name) =>
    taskFigure({ name, ...filled, details: name === 'backup' ? details : {} }, times[name]),
  )
}

async function once(
  { data, repository: path, state, restored }: Paths,
  isEncrypted: boolean,
  round: number,
  context: TaskContext,
): Promise<{ readonly backup: number; readonly verify: number; readonly restore: number }> {
  const say = (what: string): void => context.onProgress(`${what} (${round} of ${context.repeat})`)
  const target = new DirectoryTarget(path)
  await Repository.create(target, isEncrypted ? { encryption: { passphrase } } : {})
  const repository = await Repository.open(target, isEncrypted ? { passphrase } : null)
  say('backing up')
  const backup = await timed(context, async () => {
    const source = new DirectorySource(data)
    const { gaps } = await runBackup(repository, source, { kind: 'full', stateDirectory: state })
    if (gaps.length > 0) throw new BenchFailedError('the backup has gaps')
  })
  say('verifying')
  const verify = await timed(context, async () => {
    const { findings } = await verifyRepository(repository)
    if (findings.length > 0) throw new BenchFailedError('the repository is damaged')
  })
  say('restoring')
  const restore = await timed(context, async () => {
    const found = await new BackupCatalogue(repository).find('latest')
    await restoreBackup(repository, found, { to: restored })
  })
  return { backup, verify, restore }
}

function sizeOf(fs: FileSystem, path: string): number {
  let bytes = 0
  for (const name of fs.list(path)) {
    const child = `${path}/${name}`
    const stat = fs.stat(child)
    if (stat !== null) bytes += stat.isDirectory ? sizeOf(fs, child) : stat.sizeBytes
  }
  return bytes
}
