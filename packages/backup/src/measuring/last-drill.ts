import { CorruptRepositoryError } from '../base/backup-errors.ts'
import { JsonShape } from '../format/json-shape.ts'
import { backupIdPattern } from '../format/manifest.ts'
import { type DrillRecord, drillsPrefix } from '../repository/drill-records.ts'
import type { Target } from '../target/target.ts'

/** What the last drill showed; null without any. Records that are damaged are passed over. */
export async function lastDrill(target: Target): Promise<DrillRecord | null> {
  const keys: string[] = []
  for await (const { key } of target.list(drillsPrefix)) keys.push(key)
  // Keys are in the order of time.
  for (const key of keys.toReversed()) {
    const bytes = await target.get(key)
    const record = bytes && decode(bytes, key)
    if (record !== null) return record
  }
  return null
}

function decode(bytes: Buffer, key: string): DrillRecord | null {
  try {
    const shape = JsonShape.parse(bytes, key)
    return {
      backupId: shape.get('backupId').text(backupIdPattern),
      atMs: shape.get('atMs').number(),
      recoveryMs: shape.get('recoveryMs').number(),
      bytes: shape.get('bytes').count(),
      bytesPerSecond: shape.get('bytesPerSecond').number(),
      partitions: shape.get('partitions').count(),
      findings: shape.get('findings').count(),
    }
  } catch (error) {
    if (error instanceof CorruptRepositoryError) return null
    throw error
  }
}
