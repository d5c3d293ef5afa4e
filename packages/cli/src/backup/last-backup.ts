import { BackupCatalogue, backupIdTime, type PlanKind } from '@varve/backup'
import { openRepository, type RepositoryAccess } from './repository-access.ts'

/**
 * When the newest backup of a source was taken that will do for one of that kind, in ms since the
 * epoch; null without any. For an incremental one any will do; whoever cannot read sees no kinds.
 */
export async function lastBackupMs(
  access: RepositoryAccess,
  source: string,
  kind: PlanKind,
): Promise<number | null> {
  await using repository = await openRepository(access)
  const catalogue = new BackupCatalogue(repository)
  const names = await catalogue.list(catalogue.sourceIdOf(source))
  const newest = names.at(-1)
  if (newest === undefined) return null
  if (kind === 'incremental' || !repository.keys.canRead) return backupIdTime(newest.backupId)
  const wanted = kind === 'differential' ? ['full', kind] : ['full']
  for (const name of names.toReversed()) {
    const { manifest } = await catalogue.read(name)
    if (wanted.includes(manifest.kind)) return manifest.takenMs
  }
  return null
}
