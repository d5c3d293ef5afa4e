import { nodeFileSystem } from '@varve/log'
import { throwIfInterrupted } from '../command-io.ts'
import { formatAmount, formatBytes } from '../human.ts'
import type { DumpContext } from './dump-context.ts'
import type { IndexEntry, IndexKind } from './index-kinds.ts'
import { type IndexStop, type IndexSummary, streamIndex } from './index-stream.ts'

export interface IndexFile {
  readonly path: string
  /** As it is printed. */
  readonly name: string
  readonly kind: IndexKind
  readonly baseOffset: number
}

/**
 * Prints an index file. For machines it is one line whose first fields judge the whole file, so the
 * file is read twice; never more of it than a chunk is in memory.
 */
export async function dumpIndexFile(context: DumpContext, index: IndexFile): Promise<void> {
  const { io, options, lines } = context
  const file = nodeFileSystem.open(index.path, 'read')
  const stream = (visit: (entries: readonly IndexEntry[]) => Promise<boolean>) =>
    streamIndex(file, index.kind, index.baseOffset, visit)
  const print = async (entry: IndexEntry, separator: string): Promise<void> => {
    lines.text(options.json ? separator + JSON.stringify(entry.json) : `  ${entry.text}\n`)
    if (lines.isFull) await lines.flush()
  }
  try {
    const summary = await stream(async () => !io.signal.aborted)
    throwIfInterrupted(io)
    if (summary.problem !== null && !summary.problem.isPadding) context.hasFindings = true
    printHead(context, index, summary, file.sizeBytes())
    let separator = ''
    await stream(async (entries) => {
      for (const entry of entries) {
        if (options.from !== null && entry.offset < options.from) continue
        if (context.left === 0) return false
        context.left -= 1
        await print(entry, separator)
        separator = ','
      }
      return !io.signal.aborted
    })
    printEnd(context, summary)
    await lines.flush()
  } finally {
    file.close()
  }
}

function printHead(
  context: DumpContext,
  index: IndexFile,
  summary: IndexSummary,
  sizeBytes: number,
): void {
  const { lines } = context
  const { type } = index.kind
  const { slots, problem } = summary
  if (!context.options.json) {
    lines.line(`${index.name}  ${formatBytes(sizeBytes)}`)
    return
  }
  const sanity = problem === null ? 'ok' : describeStop(problem)
  // Kafka's transaction index has neither slots nor a check of its own: only damage is said.
  const hasSlots = type !== 'txnindex'
  const head = {
    ...{ file: index.name, type },
    ...((hasSlots || problem !== null) && { sanity }),
    ...(hasSlots && { slots }),
  }
  lines.text(`${JSON.stringify(head).slice(0, -1)},"entries":[`)
}

function printEnd(context: DumpContext, summary: IndexSummary): void {
  const { lines } = context
  if (context.options.json) {
    lines.line(']}')
    return
  }
  const { count, problem } = summary
  const entries = `${formatCountOf(count)}`
  lines.line(`  ${entries}, ${problem === null ? 'read to the end' : describeStop(problem)}`)
}

function formatCountOf(count: number): string {
  return count === 1 ? '1 entry' : formatAmount(count, 'entrie')
}

function describeStop({ isPadding, position, reason }: IndexStop): string {
  return isPadding ? `zeros from ${position} on` : `damaged at ${position}: ${reason}`
}
