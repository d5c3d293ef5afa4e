import { dirname } from 'node:path'
import { InvalidArgumentError } from '@varve/record'
import {
  lockFileName,
  logStartOffsetCheckpointFileName,
  metaPropertiesFileName,
  parsePartitionDirectoryName,
  parseSegmentFileName,
  recoveryPointCheckpointFileName,
  replicationOffsetCheckpointFileName,
} from './file-names.ts'
import type { FileSystem } from './file-system.ts'

/** Makes a directory and those above it; each is durable in its parent. */
export async function makeDirectories(fs: FileSystem, path: string): Promise<void> {
  const stat = fs.stat(path)
  if (stat?.isDirectory === true) return
  if (stat !== null) throw new InvalidArgumentError('path', path, 'is a file, not a directory')
  const parent = dirname(path)
  await makeDirectories(fs, parent)
  fs.makeDirectory(path)
  await fs.syncDirectory(parent)
}

/** Removes a directory with all that is in it. Of symbolic links in it, not what they name. */
export async function removeTree(fs: FileSystem, path: string): Promise<void> {
  await removeContent(fs, path)
  await fs.removeDirectory(path)
}

/** As `removeTree`, of what is in a directory and is chosen. */
export async function removeContent(
  fs: FileSystem,
  path: string,
  isChosen: (name: string) => boolean = () => true,
): Promise<void> {
  for (const name of fs.list(path).filter(isChosen)) {
    const child = `${path}/${name}`
    if (isOwnDirectory(fs, child)) await removeTree(fs, child)
    else await fs.remove(child)
  }
}

function isOwnDirectory(fs: FileSystem, path: string): boolean {
  return fs.stat(path)?.isDirectory === true && (fs.resolveLinks?.(path) ?? path) === path
}

/** Files that only a data directory has. */
const dataDirectoryFileNames = [
  lockFileName,
  metaPropertiesFileName,
  recoveryPointCheckpointFileName,
  logStartOffsetCheckpointFileName,
  replicationOffsetCheckpointFileName,
]

/**
 * A log on its own keeps in its directory what a data directory keeps for all of its logs. Opened
 * so inside a data directory, or a data directory opened as a log, each would take the other's.
 */
export function refuseDataDirectory(fs: FileSystem, path: string): void {
  const parent = dirname(path)
  const mark = dataDirectoryFileNames.find((name) => fs.stat(`${parent}/${name}`) !== null)
  if (mark !== undefined) {
    const rule = `belongs to the data directory ${parent}, which has ${mark}: open that one`
    throw new InvalidArgumentError('path', path, rule)
  }
  if (fs.stat(path)?.isDirectory !== true) return
  const log = fs.list(path).find((name) => isPartitionDirectory(fs, path, name))
  if (log === undefined) return
  throw new InvalidArgumentError('path', path, `is a data directory, it has ${log}`)
}

/** The other mistake: a log's own directory opened as a data directory. */
export function refuseLogDirectory(fs: FileSystem, path: string): void {
  if (fs.stat(path)?.isDirectory !== true) return
  const segment = fs.list(path).find((name) => parseSegmentFileName(name)?.kind === 'log')
  if (segment === undefined) return
  const rule = `is the directory of one log, it has ${segment}: open the one above, or use openLog`
  throw new InvalidArgumentError('path', path, rule)
}

function isPartitionDirectory(fs: FileSystem, path: string, name: string): boolean {
  const isNamed = parsePartitionDirectoryName(name) !== null
  return isNamed && fs.stat(`${path}/${name}`)?.isDirectory === true
}
