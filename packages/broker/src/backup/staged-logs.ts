import type { RestoreScene } from '@varve/backup'
import { type FileSystem, type Log, LogDirectory } from '@varve/log'
import {
  logStartOffsetCheckpointFileName,
  OffsetCheckpointFile,
  parsePartitionDirectoryName,
  parseSegmentFileName,
  recoveryPointCheckpointFileName,
  removeTree,
  replicationOffsetCheckpointFileName,
} from '@varve/log/files'
import { VarveError } from '@varve/record'

/** Within the staged directory. Its name is that of no partition. */
const scratchName = 'varve-restore-scratch'

const checkpointNames = [
  recoveryPointCheckpointFileName,
  logStartOffsetCheckpointFileName,
  replicationOffsetCheckpointFileName,
]

/** A log that can be changed before it gets its place. */
export interface StagedLog {
  readonly name: string
  readonly log: Log
}

/** Of one that cannot. */
export interface UnusableLog {
  readonly name: string
  readonly error: VarveError
}

/**
 * Opens partitions of a topic for changes, in a directory of their own: those that were restored,
 * and copies of those that would be kept. `edit` tells whether it changed anything; a copy that was
 * not changed is thrown away, a changed one takes the place of what would be kept. So nothing that
 * is there changes before everything does.
 *
 * Resolves to those that could not be opened, or read: they stay as they are.
 */
export async function editStagedLogs(
  scene: RestoreScene,
  topic: string,
  edit: (staged: StagedLog) => Promise<boolean>,
): Promise<readonly UnusableLog[]> {
  const { fs, staging, replaced, clock } = scene
  const isOfTopic = (name: string): boolean => parsePartitionDirectoryName(name)?.topic === topic
  const restored = scene.partitions.map(({ name }) => name).filter(isOfTopic)
  const kept = scene.kept.filter(isOfTopic)
  if (restored.length + kept.length === 0) return []
  const scratch = `${staging}/${scratchName}`
  fs.makeDirectory(scratch)
  for (const name of restored) fs.rename(`${staging}/${name}`, `${scratch}/${name}`)
  for (const name of kept) await copyLog(fs, `${replaced}/${name}`, `${scratch}/${name}`)
  await copyCheckpoints(fs, staging, scratch, [...restored, ...kept])
  const changed = new Set<string>(restored)
  const unusable: UnusableLog[] = []
  {
    await using directory = await LogDirectory.open(scratch, { fs, clock })
    for (const [name, log] of directory.logs) {
      try {
        if (await edit({ name, log })) changed.add(name)
      } catch (error) {
        // It is as damaged as it was.
        if (!(error instanceof VarveError)) throw error
        unusable.push({ name, error })
      }
    }
    for (const [name, error] of directory.failures) unusable.push({ name, error })
  }
  await copyCheckpoints(fs, scratch, staging, [...changed])
  for (const name of changed) fs.rename(`${scratch}/${name}`, `${staging}/${name}`)
  await removeTree(fs, scratch)
  await fs.syncDirectory(staging)
  return unusable
}

/** Sealed segments never change: a second name does. */
async function copyLog(fs: FileSystem, from: string, to: string): Promise<void> {
  fs.makeDirectory(to)
  const names = fs.list(from).filter((name) => fs.stat(`${from}/${name}`)?.isDirectory === false)
  const logs = names.filter((name) => parseSegmentFileName(name)?.kind === 'log').sort()
  const sealed = new Set(logs.slice(0, -1))
  for (const name of names) {
    if (sealed.has(name)) fs.link(`${from}/${name}`, `${to}/${name}`)
    else await copyFile(fs, `${from}/${name}`, `${to}/${name}`)
  }
  await fs.syncDirectory(to)
}

const copiedBytes = 1024 * 1024

async function copyFile(fs: FileSystem, from: string, to: string): Promise<void> {
  const source = fs.open(from, 'read')
  const copy = fs.open(to, 'create')
  try {
    const buffer = Buffer.allocUnsafe(copiedBytes)
    for (let position = 0; ; ) {
      const count = await source.read(buffer, position)
      if (count === 0) break
      for (let written = 0; written < count; ) {
        written += await copy.write(buffer.subarray(written, count), position + written)
      }
      position += count
    }
    await copy.datasync()
  } finally {
    source.close()
    copy.close()
  }
}

/** What checkpoints say of some logs, and nothing else in them. */
async function copyCheckpoints(
  fs: FileSystem,
  from: string,
  to: string,
  names: readonly string[],
): Promise<void> {
  for (const checkpoint of checkpointNames) {
    const source = new OffsetCheckpointFile(fs, `${from}/${checkpoint}`).readOrEmpty()
    const target = new OffsetCheckpointFile(fs, `${to}/${checkpoint}`)
    const offsets = new Map(target.readOrEmpty())
    for (const name of names) {
      const offset = source.get(name)
      if (offset !== undefined) offsets.set(name, offset)
    }
    await target.write(offsets)
  }
}
