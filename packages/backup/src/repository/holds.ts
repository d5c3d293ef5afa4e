import { InvalidArgumentError } from '@varve/record'
import { backupIdPattern } from '../format/manifest.ts'
import type { Target } from '../target/target.ts'

export const holdsPrefix = 'holds/'

/** Keeps a backup from being pruned until it is released. Needs no key. */
export async function holdBackup(target: Target, backupId: string): Promise<void> {
  await target.put(holdKey(backupId), Buffer.from('held\n'))
}

/** Idempotent. */
export async function releaseBackup(target: Target, backupId: string): Promise<void> {
  await target.remove(holdKey(backupId))
}

/** Ids of the backups that are held. */
export async function heldBackups(target: Target): Promise<ReadonlySet<string>> {
  const held = new Set<string>()
  for await (const { key } of target.list(holdsPrefix)) held.add(key.slice(holdsPrefix.length))
  return held
}

function holdKey(backupId: string): string {
  if (backupIdPattern.test(backupId)) return `${holdsPrefix}${backupId}`
  throw new InvalidArgumentError('backupId', backupId, 'is not the id of a backup')
}
