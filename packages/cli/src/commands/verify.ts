import { type Finding, nodeFileSystem, type Severity, verifyPath } from '@varve/log'
import { listSegments } from '@varve/log/files'
import { type CommandIo, exitCodes, throwIfInterrupted } from '../command-io.ts'
import { formatAmount, formatByteRate, formatBytes, formatDuration } from '../human.ts'
import { LineOutput } from '../output.ts'
import { Progress } from '../progress.ts'
import { resolveTarget, type Target } from '../target.ts'
import { unambiguous } from '../unambiguous-path.ts'

export interface VerifyOptions {
  readonly path: string
  readonly json: boolean
}

/** How many findings there are of each kind. */
type Counts = Record<Severity, number>

/**
 * Checks everything that can be wrong with a file, a partition or a data directory, and prints what
 * is. Takes no lock and writes nothing.
 *
 * @returns findings when there is an error or a warning; notes alone are fine
 */
export async function verify(options: VerifyOptions, io: CommandIo): Promise<number> {
  const path = unambiguous(options.path)
  const target = resolveTarget(path)
  const lines = new LineOutput(io.stdout)
  const progress = new Progress(io, { activity: 'verifying', totalBytes: totalBytes(target) })
  const startedMs = io.clock.monotonic()
  const counts: Counts = { error: 0, warning: 0, note: 0 }
  let readBytes = 0
  const onProgress = ({ bytes }: { readonly bytes: number }): void => {
    readBytes += bytes
    progress.update(readBytes)
    throwIfInterrupted(io)
  }
  for await (const found of verifyPath(path, { onProgress })) {
    throwIfInterrupted(io)
    counts[found.severity] += 1
    progress.clear()
    if (options.json) lines.json({ type: 'finding', ...found })
    else for (const line of explainFinding(found)) lines.line(line)
    await lines.flush()
  }
  progress.clear()
  const durationMs = io.clock.monotonic() - startedMs
  const isFine = counts.error + counts.warning === 0
  const { error: errors, warning: warnings, note: notes } = counts
  if (options.json) {
    lines.json({ type: 'summary', path, errors, warnings, notes, bytes: readBytes, durationMs })
  } else {
    lines.line(summary(counts, readBytes, durationMs))
    if (!isFine) lines.line(`Run \`varve repair ${options.path}\` to see what can be done.`)
  }
  await lines.flush()
  return isFine ? exitCodes.fine : exitCodes.findings
}

/** A finding as people read it: where, then what. */
export function explainFinding(found: Finding): readonly string[] {
  const { severity, code, path, position, sizeBytes, firstOffset, lastOffset, message } = found
  const where = [path]
  if (sizeBytes > 0) where.push(`position ${position} to ${position + sizeBytes - 1}`)
  if (firstOffset !== null) where.push(offsets(firstOffset, lastOffset))
  return [`${severity}: ${where.join(', ')}`, `  ${code}: ${message}`]
}

export function offsets(firstOffset: number, lastOffset: number | null): string {
  if (lastOffset === null) return `offset ${firstOffset} and later`
  if (lastOffset === firstOffset) return `offset ${firstOffset}`
  return `offsets ${firstOffset} to ${lastOffset}`
}

function summary(counts: Counts, bytes: number, durationMs: number): string {
  const rate = formatByteRate(bytes, durationMs)
  const read = `${formatBytes(bytes)} read in ${formatDuration(durationMs)}`
  const work = rate === '' ? read : `${read}, ${rate}`
  const parts = [
    formatAmount(counts.error, 'error'),
    formatAmount(counts.warning, 'warning'),
    formatAmount(counts.note, 'note'),
  ]
  const isFine = counts.error + counts.warning === 0
  return `${isFine ? 'Nothing is wrong' : 'Something is wrong'}: ${parts.join(', ')} (${work}).`
}

/** Null for a file: of its segment everything may have to be read. */
function totalBytes(target: Target): number | null {
  if (target.kind === 'file') return null
  let total = 0
  for (const { path } of target.kind === 'partition' ? [target] : target.partitions) {
    for (const { sizeBytes } of listSegments(nodeFileSystem, path)) total += sizeBytes
  }
  return total
}
