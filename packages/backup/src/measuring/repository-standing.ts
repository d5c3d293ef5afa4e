import { CorruptRepositoryError } from '../base/backup-errors.ts'
import { backupIdTime } from '../format/manifest.ts'
import { BackupCatalogue, type BackupName } from '../repository/backup-catalogue.ts'
import type { DrillRecord } from '../repository/drill-records.ts'
import { objectsPrefix, type Repository } from '../repository/repository.ts'
import { readVerifications, type Verification } from '../repository/verifications.ts'
import { lastDrill } from './last-drill.ts'

/** The backups of a source. */
export interface SourceStanding {
  readonly sourceId: string
  /** Null where the repository cannot be read with the key at hand. */
  readonly source: string | null
  readonly backups: number
  /** When the newest was begun, in ms since the epoch. */
  readonly newestMs: number
  /** When the newest of those was begun of which every byte was found sound; null without any. */
  readonly newestVerifiedMs: number | null
  /** How many were last found damaged. */
  readonly damaged: number
}

/** How a repository stands. */
export interface RepositoryStanding {
  /** Name of the target. */
  readonly repository: string
  readonly objects: number
  /** Of the objects, as they are stored. */
  readonly storedBytes: number
  readonly sources: readonly SourceStanding[]
  readonly lastDrill: DrillRecord | null
}

/**
 * Looks at how a repository stands. Lists its objects, and reads a small file for each verification
 * and the newest manifest of each source. Rejects with TargetError.
 */
export async function describeRepository(repository: Repository): Promise<RepositoryStanding> {
  const { target, keys } = repository
  let objects = 0
  let storedBytes = 0
  for await (const { sizeBytes } of target.list(objectsPrefix)) {
    objects++
    storedBytes += sizeBytes
  }
  const catalogue = new BackupCatalogue(repository)
  const verifications = await readVerifications(target, keys.naming.idKey)
  const bySource = new Map<string, BackupName[]>()
  for (const name of await catalogue.list()) {
    bySource.set(name.sourceId, [...(bySource.get(name.sourceId) ?? []), name])
  }
  const sources: SourceStanding[] = []
  for (const names of bySource.values()) {
    sources.push(await standingOf(catalogue, names, verifications, keys.canRead))
  }
  const drill = await lastDrill(target)
  return { repository: target.name, objects, storedBytes, sources, lastDrill: drill }
}

async function standingOf(
  catalogue: BackupCatalogue,
  names: readonly BackupName[],
  verifications: ReadonlyMap<string, Verification>,
  canRead: boolean,
): Promise<SourceStanding> {
  const verified = (isSound: boolean): readonly BackupName[] =>
    names.filter(({ backupId }) => verifications.get(backupId)?.isSound === isSound)
  const sound = verified(true).map(({ backupId }) => backupIdTime(backupId))
  return {
    sourceId: names[0]?.sourceId ?? '',
    source: canRead ? await sourceName(catalogue, names) : null,
    backups: names.length,
    newestMs: Math.max(...names.map(({ backupId }) => backupIdTime(backupId))),
    newestVerifiedMs: sound.length === 0 ? null : Math.max(...sound),
    damaged: verified(false).length,
  }
}

/** As the newest manifest that can be read has it. */
async function sourceName(
  catalogue: BackupCatalogue,
  names: readonly BackupName[],
): Promise<string | null> {
  for (const name of names.toReversed()) {
    try {
      return (await catalogue.read(name)).manifest.source
    } catch (error) {
      if (!(error instanceof CorruptRepositoryError)) throw error
    }
  }
  return null
}
