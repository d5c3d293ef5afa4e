import { listSegmentFiles, type SegmentFile } from '../format/segment-listing.ts'
import { brokenSuffix, deletedSuffix } from '../storage/file-names.ts'
import type { FileSystem } from '../storage/file-system.ts'
import { type Finding, finding } from './finding.ts'
import type { LogFacts } from './log-facts.ts'

const temporaryPattern = /\.(deleted|cleaned|swap|broken|tmp)$/

const meanings: { readonly [suffix: string]: string } = {
  deleted: 'waits to be removed',
  cleaned: 'was left by a compaction that did not complete',
  swap: 'was left by a replacement of segments that opening the log will finish',
  broken: 'holds what a recovery or repair took out of the log',
  tmp: 'was left by a file replacement that did not complete',
}

/** Files that are no part of the log any more or not yet, and those whose log is gone. */
export function findLeftovers(fs: FileSystem, facts: LogFacts): readonly Finding[] {
  const { directory } = facts
  const found: Finding[] = []
  for (const name of [...fs.list(directory)].sort()) {
    const meaning = meanings[temporaryPattern.exec(name)?.[1] ?? '']
    if (meaning === undefined) continue
    const path = `${directory}/${name}`
    found.push(finding({ severity: 'note', code: 'leftover', path, message: `it ${meaning}` }))
  }
  return [...found, ...findOrphans(fs, facts)]
}

/**
 * Files derived from a `.log` that is not there. A deletion that a crash interrupted leaves them,
 * with their `.log` under another name or below the log's start; else the `.log` was lost.
 */
function findOrphans(fs: FileSystem, facts: LogFacts): readonly Finding[] {
  const { directory, logStartOffset, segments } = facts
  const files = listSegmentFiles(fs, directory)
  const start = Math.max(logStartOffset ?? 0, segments[0]?.baseOffset ?? 0)
  const hasLog = (file: SegmentFile): boolean => {
    const isLog = (it: SegmentFile): boolean =>
      it.kind === 'log' &&
      (it.suffix === '' || it.suffix === deletedSuffix || it.suffix === brokenSuffix)
    return files.some((it) => it.baseOffset === file.baseOffset && isLog(it))
  }
  const found: Finding[] = []
  for (const file of files) {
    if (file.suffix !== '' || file.kind === 'log' || file.kind === 'snapshot') continue
    if (hasLog(file)) continue
    const path = `${directory}/${file.name}`
    const isDeleted = file.baseOffset < start
    const message = isDeleted ? 'its segment was deleted' : 'the `.log` that it belongs to is gone'
    const code = isDeleted ? 'leftover' : 'segment-missing'
    const place = { path, firstOffset: file.baseOffset, message }
    found.push(finding({ severity: isDeleted ? 'note' : 'error', code, ...place }))
  }
  return found
}
