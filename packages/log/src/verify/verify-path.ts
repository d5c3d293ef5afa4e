import { InvalidArgumentError, type Offset } from '@varve/record'
import { LogNotFoundError } from '../base/log-errors.ts'
import { readPartitionMetadata } from '../format/partition-metadata.ts'
import { listSegmentFiles } from '../format/segment-listing.ts'
import {
  cleanerOffsetCheckpointFileName,
  leaderEpochCheckpointFileName,
  logStartOffsetCheckpointFileName,
  parsePartitionDirectoryName,
  parseSegmentFileName,
  partitionMetadataFileName,
  progressFileName,
  recoveryPointCheckpointFileName,
  replicationOffsetCheckpointFileName,
  segmentFileName,
} from '../storage/file-names.ts'
import type { FileSystem } from '../storage/file-system.ts'
import { nodeFileSystem } from '../storage/node-file-system.ts'
import { type Finding, finding } from './finding.ts'
import { isDataDirectory, readCheckpoint } from './log-facts.ts'
import { type SegmentDamage, surveySegment } from './segment-survey.ts'
import { type VerifyLogOptions, verifyLog } from './verify-log.ts'

const checkpointFileNames = [
  recoveryPointCheckpointFileName,
  logStartOffsetCheckpointFileName,
  replicationOffsetCheckpointFileName,
  cleanerOffsetCheckpointFileName,
]

/**
 * As {@link verifyLog}, for whatever a path leads to: a partition directory; a data directory, with
 * all its partitions and its checkpoint files; or one file of either.
 *
 * A file of a segment is verified together with the segment, and only what concerns the file is
 * yielded. A `.log` under another name (`.deleted`, `.swap`, `.cleaned`, `.broken`) is read by
 * itself. Throws LogNotFoundError when nothing is there, InvalidArgumentError for a file that is
 * none of a log's.
 */
export async function* verifyPath(
  path: string,
  options: VerifyLogOptions = {},
): AsyncGenerator<Finding, void, undefined> {
  const fs = options.fs ?? nodeFileSystem
  const given = path.length > 1 ? path.replace(/\/+$/, '') : path
  const stat = fs.stat(given)
  if (stat === null) throw new LogNotFoundError(`there is nothing at ${path}`)
  if (!stat.isDirectory) yield* verifyFile(given, { ...options, fs })
  else if (isPartitionDirectory(fs, given)) yield* verifyLog(given, options)
  else yield* verifyDataDirectory(given, { ...options, fs })
}

type FullOptions = VerifyLogOptions & { readonly fs: FileSystem }

/** Whether a directory holds the files of one log. */
export function isPartitionDirectory(fs: FileSystem, path: string): boolean {
  if (listSegmentFiles(fs, path).length > 0) return true
  return fs.stat(`${path}/${partitionMetadataFileName}`) !== null
}

/** The directories of live partitions in a data directory, in order. */
export function listPartitionDirectories(fs: FileSystem, path: string): readonly string[] {
  return [...fs.list(path)].sort().filter((name) => {
    const parsed = parsePartitionDirectoryName(name)
    return parsed?.state === 'live' && fs.stat(`${path}/${name}`)?.isDirectory === true
  })
}

async function* verifyDataDirectory(
  path: string,
  options: FullOptions,
): AsyncGenerator<Finding, void, undefined> {
  const { fs } = options
  const names = listPartitionDirectories(fs, path)
  if (names.length === 0 && !isDataDirectory(fs, path)) {
    const rule = 'holds neither a log nor logs'
    throw new InvalidArgumentError('path', path, rule)
  }
  // What is wrong with the checkpoint files is said once, not with every log.
  const found = new Set<string>()
  const isNew = (it: Finding): boolean => {
    if (it.code !== 'checkpoint-corrupt') return true
    const isFirst = !found.has(it.path)
    found.add(it.path)
    return isFirst
  }
  for (const it of checkDataDirectory(fs, path, names)) if (isNew(it)) yield it
  for (const name of names) {
    for await (const it of verifyLog(`${path}/${name}`, options)) if (isNew(it)) yield it
  }
}

function checkDataDirectory(
  fs: FileSystem,
  path: string,
  names: readonly string[],
): readonly Finding[] {
  const found: Finding[] = []
  for (const fileName of checkpointFileNames) {
    const checkpoint = `${path}/${fileName}`
    const strays = [...readCheckpoint(fs, checkpoint, found).keys()].filter(
      (name) => !names.includes(name),
    )
    for (const name of strays) {
      const message = `it has an offset for ${name}, which is not there`
      found.push(
        finding({ severity: 'warning', code: 'checkpoint-mismatch', path: checkpoint, message }),
      )
    }
  }
  for (const name of fs.list(path)) {
    const isLeft = name.endsWith('.tmp') || /-(delete|future|stray)$/.test(name)
    if (!isLeft) continue
    const message = 'it is no part of any log'
    found.push(finding({ severity: 'note', code: 'leftover', path: `${path}/${name}`, message }))
  }
  return [...found, ...checkTopicIds(fs, path, names)]
}

/** All partitions of a topic have its id. */
function checkTopicIds(fs: FileSystem, path: string, names: readonly string[]): readonly Finding[] {
  const found: Finding[] = []
  const ids = new Map<string, string>()
  for (const name of names) {
    const topic = parsePartitionDirectoryName(name)?.topic ?? ''
    const id = topicIdOf(fs, `${path}/${name}`)
    if (id === null) continue
    const known = ids.get(topic)
    ids.set(topic, known ?? id)
    if (known === undefined || known === id) continue
    const message = `it says topic id ${id}; another partition of ${topic} says ${known}`
    const place = { path: `${path}/${name}/${partitionMetadataFileName}`, message }
    found.push(finding({ severity: 'error', code: 'partition-metadata-mismatch', ...place }))
  }
  return found
}

function topicIdOf(fs: FileSystem, directory: string): string | null {
  try {
    return readPartitionMetadata(fs, directory)
  } catch (error) {
    // Told when the partition itself is verified.
    if (error instanceof Error) return null
    throw error
  }
}

async function* verifyFile(
  path: string,
  options: FullOptions,
): AsyncGenerator<Finding, void, undefined> {
  const end = path.lastIndexOf('/')
  const directory = end < 0 ? '.' : path.slice(0, Math.max(end, 1))
  const name = path.slice(end + 1)
  const file = parseSegmentFileName(name)
  const inPartition = [leaderEpochCheckpointFileName, partitionMetadataFileName, progressFileName]
  if (file !== null && file.suffix === '') {
    const { baseOffset, kind } = file
    const only = kind === 'snapshot' ? null : baseOffset
    for await (const it of verifyLog(directory, { ...options, ...(only !== null && { only }) })) {
      if (isAbout(it.path, path, segmentFileName(baseOffset, 'log'), kind)) yield it
    }
    return
  }
  const logPattern = /^(\d{20})\.log(\.\d+)*\.(deleted|cleaned|swap|broken)$/
  const alone = logPattern.exec(name)
  if (alone !== null) {
    yield* surveyAlone(path, Number(alone[1]), options)
  } else if (inPartition.includes(name)) {
    for await (const it of verifyLog(directory, options)) if (it.path === path) yield it
  } else if (checkpointFileNames.includes(name)) {
    const found: Finding[] = []
    readCheckpoint(options.fs, path, found)
    yield* found
  } else if (file === null) {
    throw new InvalidArgumentError('path', path, 'is not a file of a log')
  }
}

/** A derived file is also concerned by what keeps it from being compared: damage to its log. */
function isAbout(foundPath: string, path: string, logName: string, kind: string): boolean {
  if (foundPath === path) return true
  return kind !== 'snapshot' && kind !== 'log' && foundPath.endsWith(`/${logName}`)
}

/** A `.log` that is no part of a log: only what can be said of it by itself. */
async function* surveyAlone(
  path: string,
  baseOffset: Offset,
  options: FullOptions,
): AsyncGenerator<Finding, void, undefined> {
  const file = options.fs.open(path, 'read')
  const damages: SegmentDamage[] = []
  try {
    const sizeBytes = file.sizeBytes()
    const bounds = { from: baseOffset, to: Number.POSITIVE_INFINITY }
    await surveySegment(
      file,
      { bounds, baseOffset, sizeBytes },
      {
        batch: (batch) => options.onProgress?.({ path, bytes: batch.sizeBytes }),
        damage: (damage) => void damages.push(damage),
      },
    )
  } finally {
    file.close()
  }
  for (const { position, sizeBytes, firstOffset, lastOffset, reason } of damages) {
    const place = { path, position, sizeBytes, firstOffset, lastOffset, message: reason }
    yield finding({ severity: 'error', code: 'batch-corrupt', ...place })
  }
}
