import { dirname } from 'node:path'
import { nodeFileSystem } from '@varve/log'
import { listSegments } from '@varve/log/files'
import { UnsupportedFormatError } from '@varve/record'
import { type CommandIo, exitCodes, throwIfInterrupted } from '../command-io.ts'
import { describeSmallFile } from '../dump/dump-small.ts'
import { type FileKind, fileKindOf } from '../dump/file-kinds.ts'
import { type IndexKind, indexKinds } from '../dump/index-kinds.ts'
import { streamIndex } from '../dump/index-stream.ts'
import { formatAmount, formatBytes } from '../human.ts'
import { explainPartition, explainSegments } from '../inspect/explain-report.ts'
import { type PartitionReport, reportPartition } from '../inspect/partition-report.ts'
import { segmentPictureLegend } from '../inspect/segment-picture.ts'
import { type SegmentReport, scanSegment } from '../inspect/segment-report.ts'
import { LineOutput } from '../output.ts'
import { Progress } from '../progress.ts'
import { type FileTarget, type PartitionTarget, resolveTarget } from '../target.ts'

export interface InspectOptions {
  readonly path: string
  readonly json: boolean
}

/**
 * Says what a file, a partition or a data directory holds, by reading all of it. Takes no lock and
 * writes nothing.
 *
 * @returns findings when something is damaged
 */
export async function inspect(options: InspectOptions, io: CommandIo): Promise<number> {
  const target = resolveTarget(options.path)
  const lines = new LineOutput(io.stdout)
  if (target.kind === 'file') return inspectFile(target, options, io, lines)
  const partitions = target.kind === 'partition' ? [target] : target.partitions
  const reports = await inspectPartitions(partitions, options, io, lines)
  if (options.json) lines.json({ path: target.path, kind: target.kind, partitions: reports })
  else explainTotal(reports, lines)
  await lines.flush()
  const isDamaged = reports.some(({ health }) => health === 'damaged')
  return isDamaged ? exitCodes.findings : exitCodes.fine
}

async function inspectPartitions(
  partitions: readonly PartitionTarget[],
  options: InspectOptions,
  io: CommandIo,
  lines: LineOutput,
): Promise<readonly PartitionReport[]> {
  const reports: PartitionReport[] = []
  const reading = new Reading(io, totalBytes(partitions))
  for (const partition of partitions) {
    const report = await reportPartition(partition, reading.onBatch)
    throwIfInterrupted(io)
    // Only the JSON document and the totals need all of them at once.
    reports.push(options.json ? report : { ...report, segments: [] })
    if (options.json) continue
    reading.clear()
    explainPartition(report, lines, io.stdout.columns)
    lines.line()
    await lines.flush()
  }
  reading.clear()
  return reports
}

function totalBytes(partitions: readonly PartitionTarget[]): number {
  let total = 0
  for (const { path } of partitions) {
    for (const { sizeBytes } of listSegments(nodeFileSystem, path)) total += sizeBytes
  }
  return total
}

/** Progress of reading, and its end when the user asks for it. */
class Reading {
  readonly #io: CommandIo
  readonly #progress: Progress
  #doneBytes = 0

  constructor(io: CommandIo, total: number) {
    this.#io = io
    this.#progress = new Progress(io, { activity: 'reading', totalBytes: total })
  }

  readonly onBatch = (sizeBytes: number): boolean => {
    this.#doneBytes += sizeBytes
    this.#progress.update(this.#doneBytes)
    return !this.#io.signal.aborted
  }

  clear(): void {
    this.#progress.clear()
  }
}

function explainTotal(reports: readonly PartitionReport[], lines: LineOutput): void {
  const records = reports.reduce((total, report) => total + report.records, 0)
  const bytes = reports.reduce((total, report) => total + report.sizeBytes, 0)
  const damaged = reports.filter(({ health }) => health === 'damaged').length
  const amounts = [
    formatAmount(reports.length, 'partition'),
    formatAmount(records, 'record'),
    formatBytes(bytes),
  ]
  if (reports.length !== 1) {
    lines.line(`${amounts.join(', ')}: ${damaged === 0 ? 'healthy' : `${damaged} damaged`}`)
  }
  lines.line(segmentPictureLegend)
}

async function inspectFile(
  target: FileTarget,
  options: InspectOptions,
  io: CommandIo,
  lines: LineOutput,
): Promise<number> {
  const file = fileKindOf(target.name)
  if (file === null) {
    throw new UnsupportedFormatError(`${target.path} has not the name of a file of a log`, {
      hint: 'a segment file is named after what it holds: .log, .index, .timeindex, .txnindex, .snapshot',
    })
  }
  const { kind, baseOffset } = file
  const isDamaged =
    kind === 'log'
      ? await inspectLogFile(target, file, options, io, lines)
      : await inspectOtherFile(target, { kind, baseOffset }, options, lines)
  await lines.flush()
  return isDamaged ? exitCodes.findings : exitCodes.fine
}

async function inspectLogFile(
  target: FileTarget,
  { baseOffset }: FileKind,
  options: InspectOptions,
  io: CommandIo,
  lines: LineOutput,
): Promise<boolean> {
  const reading = new Reading(io, target.sizeBytes)
  const directory = dirname(target.path)
  const later = listSegments(nodeFileSystem, directory).some((it) => it.baseOffset > baseOffset)
  const report: SegmentReport = await scanSegment({
    ...{ directory, baseOffset, path: target.path },
    mayHaveTail: !later,
    recoveryPoint: null,
    onBatch: reading.onBatch,
  })
  reading.clear()
  throwIfInterrupted(io)
  if (options.json) {
    lines.json({ kind: 'file', type: 'log', ...report })
  } else {
    explainSegments([report], lines)
    for (const problem of report.problems) lines.line(`  ! ${problem}`)
  }
  return report.health === 'damaged'
}

async function inspectOtherFile(
  target: FileTarget,
  { kind, baseOffset }: FileKind & { readonly kind: Exclude<FileKind['kind'], 'log'> },
  options: InspectOptions,
  lines: LineOutput,
): Promise<boolean> {
  const { path, name, sizeBytes } = target
  const { fields, problem } =
    kind === 'index' || kind === 'timeindex' || kind === 'txnindex'
      ? await describeIndex(path, indexKinds[kind], baseOffset)
      : describeSmallFile({ path, name, kind })
  const health = problem === null ? 'ok' : 'damaged'
  const summary = { path, kind: 'file', type: kind, sizeBytes, ...fields, health, problem }
  if (options.json) {
    lines.json(summary)
    return problem !== null
  }
  lines.line(`${name}: ${formatBytes(sizeBytes)}, ${health}`)
  for (const [field, value] of Object.entries(fields)) {
    lines.line(`  ${field}: ${Array.isArray(value) ? value.length : JSON.stringify(value)}`)
  }
  if (problem !== null) lines.line(`  ! ${problem}`)
  return problem !== null
}

async function describeIndex(
  path: string,
  kind: IndexKind,
  baseOffset: number,
): Promise<{ readonly fields: object; readonly problem: string | null }> {
  const file = nodeFileSystem.open(path, 'read')
  try {
    const summary = await streamIndex(file, kind, baseOffset, async () => true)
    const { count, slots, first, last, problem } = summary
    const fields = { entries: count, slots, first: first?.json ?? null, last: last?.json ?? null }
    if (problem === null || problem.isPadding) return { fields, problem: null }
    return { fields, problem: `damaged at position ${problem.position}: ${problem.reason}` }
  } finally {
    file.close()
  }
}
