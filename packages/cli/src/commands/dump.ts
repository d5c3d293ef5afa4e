import { nodeFileSystem } from '@varve/log'
import { parseSegmentFileName, type SegmentFileName } from '@varve/log/files'
import { UnsupportedFormatError } from '@varve/record'
import { type CommandIo, exitCodes } from '../command-io.ts'
import type { DumpContext, DumpOptions } from '../dump/dump-context.ts'
import { dumpIndexFile } from '../dump/dump-index.ts'
import { dumpLogFile } from '../dump/dump-log.ts'
import { dumpSmallFile } from '../dump/dump-small.ts'
import { fileKindOf } from '../dump/file-kinds.ts'
import { indexKinds } from '../dump/index-kinds.ts'
import { requireCount } from '../option-checks.ts'
import { LineOutput } from '../output.ts'
import { type PartitionTarget, resolveTarget } from '../target.ts'

/**
 * Prints what files hold, entry by entry, in memory that does not depend on their size. With
 * `records` and `json` the lines and fields are those that Kafka's own readers give in the form of
 * the project's fixtures, so that two readers can be compared with `diff`.
 *
 * @returns findings when anything was damaged
 */
export async function dump(options: DumpOptions, io: CommandIo): Promise<number> {
  requireCount('from', options.from, 0)
  requireCount('max', options.max, 1)
  const context: DumpContext = {
    io,
    options,
    lines: new LineOutput(io.stdout),
    left: options.max ?? Number.POSITIVE_INFINITY,
    hasFindings: false,
  }
  const target = resolveTarget(options.path)
  if (target.kind === 'file') {
    await dumpFile(context, target.path, target.name)
  } else if (target.kind === 'partition') {
    await dumpPartition(context, target, '')
  } else {
    for (const partition of target.partitions) {
      if (context.left === 0) break
      await dumpPartition(context, partition, `${partition.name}/`)
    }
  }
  return context.hasFindings ? exitCodes.findings : exitCodes.fine
}

/** The files that belong to segments; ours, the digests, only when they are named themselves. */
async function dumpPartition(
  context: DumpContext,
  partition: PartitionTarget,
  prefix: string,
): Promise<void> {
  const { from, max } = context.options
  const isSearch = from !== null || max !== null
  const files: Array<{ readonly name: string } & SegmentFileName> = []
  for (const name of nodeFileSystem.list(partition.path).toSorted()) {
    const file = parseSegmentFileName(name)
    if (file === null || file.suffix !== '' || file.kind === 'digest') continue
    if (!isSearch || file.kind === 'log') files.push({ name, ...file })
  }
  // Segments that end before the first offset need not be read: another begins at it or before.
  const first = files.findLastIndex(({ baseOffset }) => baseOffset <= (from ?? 0))
  for (const { name } of isSearch ? files.slice(Math.max(first, 0)) : files) {
    if (context.left === 0) return
    const path = `${partition.path}/${name}`
    // Gone since it was listed: whoever owns the log has deleted it.
    if (nodeFileSystem.stat(path) === null) continue
    await dumpFile(context, path, prefix + name)
  }
}

async function dumpFile(context: DumpContext, path: string, name: string): Promise<void> {
  const file = fileKindOf(name.slice(name.lastIndexOf('/') + 1))
  if (file === null) {
    throw new UnsupportedFormatError(`${path} has not the name of a file that can be dumped`, {
      hint: 'a segment file is named after what it holds: .log, .index, .timeindex, .txnindex, .snapshot',
    })
  }
  const { kind, baseOffset } = file
  if (kind === 'log') return dumpLogFile(context, path, name)
  if (kind === 'index' || kind === 'timeindex' || kind === 'txnindex') {
    return dumpIndexFile(context, { path, name, kind: indexKinds[kind], baseOffset })
  }
  return dumpSmallFile(context, { path, name, kind })
}
