import type { FileSystem } from '@varve/log'
import {
  logStartOffsetCheckpointFileName,
  OffsetCheckpointFile,
  recoveryPointCheckpointFileName,
  replaceSmallFile,
  replicationOffsetCheckpointFileName,
  segmentFileName,
} from '@varve/log/files'
import type { Offset } from '@varve/record'
import type { StoredFileContent } from '../format/partition-list.ts'
import { type RestoredPartition, segmentJobs } from './partition-restore.ts'
import { lockFileName, removeDurably } from './staged-swap.ts'

/**
 * Makes the staging directory ready: of what an interrupted run has left there, the segments stay
 * that may be wanted again; everything else goes.
 */
export async function prepareStaging(
  fs: FileSystem,
  staging: string,
  partitions: readonly RestoredPartition[],
): Promise<void> {
  const byName = new Map(partitions.map((partition) => [partition.name, partition]))
  for (const name of fs.list(staging)) {
    if (name === lockFileName) continue
    const path = `${staging}/${name}`
    const partition = byName.get(name)
    if (fs.stat(path)?.isDirectory !== true) await fs.remove(path)
    else if (partition === undefined) await removeDurably(fs, path)
    else await removeDerived(fs, path, partition)
  }
  for (const name of byName.keys()) {
    const path = `${staging}/${name}`
    if (fs.stat(path) === null) fs.makeDirectory(path)
  }
  await fs.syncDirectory(staging)
}

async function removeDerived(
  fs: FileSystem,
  directory: string,
  partition: RestoredPartition,
): Promise<void> {
  const jobs = segmentJobs(partition).filter(({ isShareable }) => isShareable)
  const wanted = new Set(jobs.map(({ segment }) => segmentFileName(segment.baseOffset, 'log')))
  for (const name of fs.list(directory)) {
    if (!wanted.has(name)) await fs.remove(`${directory}/${name}`)
  }
}

/** Files of the data directory itself, durably. */
export async function writeStagingFiles(
  fs: FileSystem,
  staging: string,
  files: readonly StoredFileContent[],
): Promise<void> {
  for (const { name, bytes } of files) await replaceSmallFile(fs, `${staging}/${name}`, bytes)
}

/** The checkpoints of the new data directory: of partitions that are kept, as they were. */
export async function writeCheckpoints(
  fs: FileSystem,
  directories: { readonly staging: string; readonly replaced: string },
  partitions: readonly RestoredPartition[],
  kept: readonly string[],
): Promise<void> {
  const { staging, replaced } = directories
  const write = async (
    name: string,
    offsetOf: (partition: RestoredPartition) => Offset,
  ): Promise<void> => {
    const before = new OffsetCheckpointFile(fs, `${replaced}/${name}`).readOrEmpty()
    const offsets = new Map([...before].filter(([log]) => kept.includes(log)))
    for (const partition of partitions) offsets.set(partition.name, offsetOf(partition))
    await new OffsetCheckpointFile(fs, `${staging}/${name}`).write(offsets)
  }
  // All of it was flushed, and was visible when it was backed up.
  await write(recoveryPointCheckpointFileName, ({ end }) => end)
  await write(replicationOffsetCheckpointFileName, ({ end }) => end)
  await write(logStartOffsetCheckpointFileName, ({ stored }) => stored.logStartOffset)
}
