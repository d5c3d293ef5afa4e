import { type Offset, VarveError } from '@varve/record'
import { hasCleanShutdown } from '../format/clean-shutdown.ts'
import { checkpointBytesMax, decodeOffsetCheckpoint } from '../format/offset-checkpoint.ts'
import { ownCheckpointName } from '../format/own-checkpoints.ts'
import { type NumberedProgress, ProgressFile, progressFileBytes } from '../format/progress-file.ts'
import { type ListedSegment, listSegments } from '../format/segment-listing.ts'
import { readDigest } from '../segments/segment-restore.ts'
import {
  activeDigestFileName,
  cleanShutdownFileName,
  lockFileName,
  logStartOffsetCheckpointFileName,
  metaPropertiesFileName,
  progressFileName,
  recoveryPointCheckpointFileName,
  replicationOffsetCheckpointFileName,
} from '../storage/file-names.ts'
import { type FileSystem, readFileStart } from '../storage/file-system.ts'
import { type Finding, finding, reasonOf } from './finding.ts'

/** What is known of a log before any of its records is read. */
export interface LogFacts {
  readonly directory: string
  /** Name of the log's directory: `<topic>-<partition>`. */
  readonly name: string
  /**
   * The directory that has the log's lock, its checkpoints and the marker of a clean shutdown: its
   * data directory; or its own, when it was opened on its own; null when nothing is known of it.
   */
  readonly dataDirectory: string | null
  /** What the log is called in the checkpoints there. */
  readonly checkpointName: string
  /** Whether it was closed cleanly: then it is complete and nobody is writing to it. */
  readonly isClean: boolean
  readonly progress: NumberedProgress | null
  /** Everything below is known to be flushed. */
  readonly recoveryPoint: Offset
  /** Null when no checkpoint tells: then the log begins with its first segment. */
  readonly logStartOffset: Offset | null
  readonly segments: readonly ListedSegment[]
  /** Whether Varve has written to it: it has files that nobody else makes. */
  readonly isOurs: boolean
  /** Whether it was closed cleanly by Varve, and nothing has been appended since. */
  readonly isClosedByUs: boolean
}

/** The same, with what was found wrong on the way. */
export interface ReadFacts {
  readonly facts: LogFacts
  readonly findings: readonly Finding[]
}

const dataDirectoryFileNames = [
  recoveryPointCheckpointFileName,
  logStartOffsetCheckpointFileName,
  replicationOffsetCheckpointFileName,
  cleanShutdownFileName,
  metaPropertiesFileName,
  lockFileName,
]

/**
 * Reads what the small files say of a log, its own and those of its data directory. Takes no lock
 * and changes nothing. Checkpoints before segments: whatever a checkpoint says is true of a log
 * that only grows meanwhile.
 */
export function readLogFacts(fs: FileSystem, directory: string): ReadFacts {
  const findings: Finding[] = []
  const name = directory.slice(directory.lastIndexOf('/') + 1)
  const dataDirectory = dataDirectoryOf(fs, directory)
  const checkpointName = dataDirectory === directory ? ownCheckpointName : name
  const isClean = dataDirectory !== null && hasCleanShutdown(fs, dataDirectory)
  const progress = readProgress(fs, directory, findings)
  const checkpoint = (fileName: string): Offset | null => {
    if (dataDirectory === null) return null
    return readCheckpoint(fs, `${dataDirectory}/${fileName}`, findings).get(checkpointName) ?? null
  }
  const logStartOffset = checkpoint(logStartOffsetCheckpointFileName)
  const recoveryPoint = checkpoint(recoveryPointCheckpointFileName)
  const segments = listSegments(fs, directory)
  const { baseOffset = 0, sizeBytes = 0 } = segments.at(-1) ?? {}
  const activeDigestPath = `${directory}/${activeDigestFileName(baseOffset)}`
  const isOurs =
    progress !== null ||
    segments.some(({ kinds }) => kinds.has('digest')) ||
    fs.stat(activeDigestPath) !== null
  const isClosedByUs = isClean && readDigest(fs, activeDigestPath)?.sizeBytes === sizeBytes
  const facts: LogFacts = {
    directory,
    name,
    dataDirectory,
    checkpointName,
    isClean,
    progress,
    recoveryPoint: Math.max(recoveryPoint ?? 0, progress?.recoveryPoint ?? 0, logStartOffset ?? 0),
    logStartOffset,
    segments,
    isOurs,
    isClosedByUs,
  }
  return { facts, findings }
}

/** See {@link LogFacts.dataDirectory}. */
export function dataDirectoryOf(fs: FileSystem, directory: string): string | null {
  if (fs.stat(`${directory}/${lockFileName}`) !== null) return directory
  const end = directory.lastIndexOf('/')
  const parent = end < 0 ? '.' : directory.slice(0, Math.max(end, 1))
  return isDataDirectory(fs, parent) ? parent : null
}

/** Whether a directory holds any of the files that only data directories have. */
export function isDataDirectory(fs: FileSystem, path: string): boolean {
  return dataDirectoryFileNames.some((name) => fs.stat(`${path}/${name}`) !== null)
}

/** The offsets in a checkpoint file; none when it is missing or cannot be read, as in Kafka. */
export function readCheckpoint(
  fs: FileSystem,
  path: string,
  findings: Finding[],
): ReadonlyMap<string, Offset> {
  const bytes = readFileStart(fs, path, checkpointBytesMax)
  if (bytes === null) return new Map()
  try {
    return decodeOffsetCheckpoint(bytes, path)
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    const message = reasonOf(error)
    findings.push(finding({ severity: 'error', code: 'checkpoint-corrupt', path, message }))
    return new Map()
  }
}

/** Read again when a slot is not right: somebody may have been writing it. */
function readProgress(
  fs: FileSystem,
  directory: string,
  findings: Finding[],
): NumberedProgress | null {
  const path = `${directory}/${progressFileName}`
  let bytes = readFileStart(fs, path, progressFileBytes)
  if (bytes === null) return null
  for (let tries = 0; tries < 3 && ProgressFile.damagedSlots(bytes).length > 0; tries += 1) {
    bytes = readFileStart(fs, path, progressFileBytes) ?? bytes
  }
  for (const { position, sizeBytes } of ProgressFile.damagedSlots(bytes)) {
    const message = 'this slot was not written completely, or was damaged; the other one counts'
    const place = { path, position, sizeBytes, message }
    findings.push(finding({ severity: 'note', code: 'progress-corrupt', ...place }))
  }
  return ProgressFile.read(bytes)
}
