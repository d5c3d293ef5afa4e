import { type HealOutcome, SegmentHealer } from '@varve/backup'
import { listPartitionDirectories, nodeFileSystem, verifyLog } from '@varve/log'
import { type CommandIo, exitCodes, throwIfInterrupted } from '../command-io.ts'
import { LineOutput } from '../output.ts'
import { openRepository, type RepositoryAccess } from './repository-access.ts'

export interface HealCommandOptions extends RepositoryAccess {
  /** A data directory that nobody has open. */
  readonly data: string
  /** Do it; else it is only looked whether it could be done. */
  readonly execute: boolean
  readonly json: boolean
}

/**
 * Verifies a closed data directory, and puts sealed segments that are damaged as a backup has them.
 */
export async function healDirectory(options: HealCommandOptions, io: CommandIo): Promise<number> {
  const { data, execute, json } = options
  await using repository = await openRepository(options)
  const healer = new SegmentHealer([repository], { isDryRun: !execute })
  const lines = new LineOutput(io.stdout)
  let damaged = 0
  let open = 0
  for (const name of listPartitionDirectories(nodeFileSystem, data)) {
    throwIfInterrupted(io)
    const directory = `${data.replace(/\/+$/, '')}/${name}`
    const paths = await damagedSegments(directory)
    if (paths.size === 0) continue
    const outcomes = await healer.healClosed(directory, (path) => paths.has(path))
    for (const path of paths) {
      const outcome = outcomes.get(path) ?? notSealed
      damaged++
      if (outcome.kind === 'refused' || !execute) open++
      if (json) lines.json({ path, isExecuted: execute, ...outcome })
      else lines.line(textOf(path, outcome, execute))
    }
  }
  if (!json)
    lines.line(damaged === 0 ? 'no segment is damaged' : `${open} of ${damaged} are damaged`)
  await lines.flush()
  return open === 0 ? exitCodes.fine : exitCodes.findings
}

const notSealed: HealOutcome = {
  kind: 'refused',
  reasons: ['it is the last segment, which goes on: varve repair cuts it'],
}

async function damagedSegments(directory: string): Promise<ReadonlySet<string>> {
  const paths = new Set<string>()
  for await (const { path, severity } of verifyLog(directory)) {
    if (severity === 'error' && path.endsWith('.log')) paths.add(path)
  }
  return paths
}

function textOf(path: string, outcome: HealOutcome, isExecuted: boolean): string {
  if (outcome.kind === 'refused') return `${path}  not healed: ${outcome.reasons.join('; ')}`
  if (outcome.kind === 'sound') return `${path}  is as the backup has it`
  return `${path}  ${isExecuted ? 'healed' : 'would be healed'} from ${outcome.backupId}`
}
