import type { Clock } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { backupIdPattern } from '../format/manifest.ts'
import { AuditLog, auditPrefix, rightfullyGone } from '../repository/audit-log.ts'
import {
  type BackupName,
  listBackups,
  manifestKey,
  type ReadManifest,
  referencedBackups,
} from '../repository/backup-catalogue.ts'
import { drilledBackups } from '../repository/drill-records.ts'
import { heldBackups } from '../repository/holds.ts'
import type { Repository } from '../repository/repository.ts'
import { readVerifications } from '../repository/verifications.ts'
import { findingOf, type RepositoryFinding } from './finding.ts'

/**
 * Backups that were there and are not any more, though nobody pruned them. That they were there is
 * known from what was noted of them, or from the backup after them, which names the one before.
 * References alone prove nothing: a backup that was interrupted leaves them too.
 *
 * @param read those that are there and could be read
 */
export async function findMissingBackups(
  repository: Repository,
  read: readonly ReadManifest[],
): Promise<readonly RepositoryFinding[]> {
  const { target, keys } = repository
  const references = await referencedBackups(target)
  const verified = (await readVerifications(target, keys.naming.idKey)).keys()
  const [drilled, held] = [await drilledBackups(target), await heldBackups(target)]
  // Then what there is, and last what went by right: beside others at work nothing seems lost.
  const present = await listBackups(target)
  let gone: ReadonlySet<string>
  try {
    gone = await rightfullyGone(new AuditLog(target, keys.naming.idKey))
  } catch (error) {
    // What went by right cannot be told from what did not.
    return [findingOf(error, auditPrefix, null, null)]
  }
  const there = new Set(present.map(({ backupId }) => backupId))
  const findings = new Map<string, RepositoryFinding>()
  const add = (backupId: string, how: string): void => {
    if (there.has(backupId) || gone.has(backupId) || findings.has(backupId)) return
    const name = references.find((found) => found.backupId === backupId)
    const key = name === undefined ? `manifests/*/*-${backupId}` : manifestKey(name)
    const message = `its manifest is gone, and nobody pruned it; ${how}`
    findings.set(backupId, { code: 'missing', key, backupId, records: null, message })
  }
  for (const backupId of verified) add(backupId, 'it was verified')
  for (const backupId of drilled) add(backupId, 'it was restored in a drill')
  for (const backupId of held) add(backupId, 'it is held')
  for (const lost of lostLinks(present, read, references)) {
    if (lost.some(({ backupId }) => gone.has(backupId) || findings.has(backupId))) continue
    // Where some were begun and not finished, the last one is the one that was.
    add(lost.at(-1)?.backupId ?? '', 'the next backup names it as the one before')
  }
  return [...findings.values()]
}

/**
 * Says that a backup that is gone is known to be, so that it is no finding any more. Rejects with
 * InvalidArgumentError for what is no id, and for a backup that is there: should that go, nobody
 * would be told.
 */
export async function acceptLoss(
  { target, keys }: Repository,
  backupId: string,
  { clock, actor = null }: { readonly clock: Clock; readonly actor?: string | null },
): Promise<void> {
  if (!backupIdPattern.test(backupId)) {
    throw new InvalidArgumentError('backupId', backupId, 'is not the id of a backup')
  }
  if ((await listBackups(target)).some((name) => name.backupId === backupId)) {
    throw new InvalidArgumentError('backupId', backupId, 'is the id of a backup that is there')
  }
  const audit = new AuditLog(target, keys.naming.idKey)
  await audit.add({ atMs: clock.now(), action: 'accept loss', details: backupId, actor })
}

/** What may have been the backup before one that names one, where there is none. */
function lostLinks(
  present: readonly BackupName[],
  read: readonly ReadManifest[],
  references: readonly BackupName[],
): ReadonlyArray<readonly BackupName[]> {
  const placeOf = (sourceId: string, sequence: number): string => `${sourceId} ${sequence}`
  const taken = new Set(present.map(({ sourceId, sequence }) => placeOf(sourceId, sequence)))
  return read.flatMap(({ name: { sourceId, sequence }, manifest }) => {
    if (manifest.previous === null || taken.has(placeOf(sourceId, sequence - 1))) return []
    const begun = references.filter(
      (name) => name.sourceId === sourceId && name.sequence === sequence - 1,
    )
    return begun.length === 0 ? [] : [begun]
  })
}
