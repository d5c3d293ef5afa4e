import { reindexLog } from '@varve/log'
import { type CommandIo, exitCodes, throwIfInterrupted } from '../command-io.ts'
import { formatAmount } from '../human.ts'
import { LineOutput } from '../output.ts'
import { resolveTarget } from '../target.ts'
import { unambiguous } from '../unambiguous-path.ts'

/** How derived files are made anew. */
export interface ReindexOptions {
  readonly path: string
  readonly json: boolean
}

/**
 * Makes the indexes and digests of a segment, a log or every log of a data directory anew from the
 * records.
 */
export async function reindex(options: ReindexOptions, io: CommandIo): Promise<number> {
  const path = unambiguous(options.path)
  const target = resolveTarget(path)
  const lines = new LineOutput(io.stdout)
  const paths = target.kind === 'data' ? target.partitions.map((it) => it.path) : [path]
  for (const one of paths) {
    throwIfInterrupted(io)
    const report = await reindexLog(one)
    if (options.json) {
      lines.json({ type: 'report', ...report })
    } else {
      const { writtenFiles } = report
      lines.line(`${one}: ${formatAmount(writtenFiles.length, 'file')} made anew`)
      for (const file of writtenFiles) lines.line(`  ${file}`)
    }
    await lines.flush()
  }
  return exitCodes.fine
}
