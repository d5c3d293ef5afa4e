import { randomBytes } from 'node:crypto'
import type { Clock } from '@varve/log'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import { JsonShape } from '../format/json-shape.ts'
import { backupIdPattern } from '../format/manifest.ts'
import type { Target } from '../target/target.ts'

export const drillsPrefix = 'drills/'

/** What is left of a drill in the repository. Figures only: what it found may name topics. */
export interface DrillRecord {
  readonly backupId: string
  readonly atMs: number
  readonly recoveryMs: number
  readonly bytes: number
  readonly bytesPerSecond: number
  readonly partitions: number
  /** How many. */
  readonly findings: number
}

export async function recordDrill(
  target: Target,
  record: DrillRecord,
  clock: Clock,
): Promise<void> {
  const time = String(Math.floor(clock.now())).padStart(16, '0')
  const key = `${drillsPrefix}${time}-${randomBytes(4).toString('hex')}.json`
  await target.put(key, Buffer.from(`${JSON.stringify(record)}\n`))
}

/** Ids of the backups that were restored in drills. A record that is damaged says nothing. */
export async function drilledBackups(target: Target): Promise<ReadonlySet<string>> {
  const drilled = new Set<string>()
  for await (const { key } of target.list(drillsPrefix)) {
    const bytes = await target.get(key)
    if (bytes === null) continue
    try {
      drilled.add(JsonShape.parse(bytes, key).get('backupId').text(backupIdPattern))
    } catch (error) {
      if (!(error instanceof CorruptRepositoryError)) throw error
    }
  }
  return drilled
}
