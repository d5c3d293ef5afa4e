import { type Clock, systemClock } from '@varve/log'
import { BackupKeyError } from '../base/backup-errors.ts'
import { backupIdTime } from '../format/manifest.ts'
import { AuditLog } from '../repository/audit-log.ts'
import {
  BackupCatalogue,
  type BackupName,
  listBackups,
  manifestKey,
} from '../repository/backup-catalogue.ts'
import { heldBackups } from '../repository/holds.ts'
import type { Repository } from '../repository/repository.ts'
import type { Target } from '../target/target.ts'
import {
  decideKeep,
  type KeepCandidate,
  type KeepDecision,
  type KeepPolicy,
} from './keep-policy.ts'
import { type SweepReport, sweep } from './sweep.ts'

export interface PruneOptions {
  readonly policy: KeepPolicy
  /**
   * The repository opened with a key, for a policy that looks at tags. Without it names and times
   * are enough. @defaultValue null
   */
  readonly repository?: Repository | null
  /** Ids of backups of which every byte was read and found sound. @defaultValue none */
  readonly verified?: ReadonlySet<string>
  /** Does what is planned. @defaultValue false: only says it */
  readonly isExecuted?: boolean
  /** How long unneeded objects wait, in ms. @defaultValue one day */
  readonly graceMs?: number
  /** Stands in the audit log. @defaultValue nobody */
  readonly actor?: string
  readonly signal?: AbortSignal
  /** @defaultValue the system's */
  readonly clock?: Clock
}

export interface PruneCandidate extends KeepCandidate {
  readonly name: BackupName
}

/** What pruning came to, or would. */
export interface PruneReport {
  readonly decisions: ReadonlyArray<KeepDecision<PruneCandidate>>
  readonly removed: readonly string[]
  /** Null for a plan. */
  readonly swept: SweepReport | null
}

const dayMs = 86_400_000

/**
 * Removes backups that the policy does not keep, each source for itself, and then objects that have
 * been unneeded for the grace. Manifests go first: a backup is there with all it needs, or not at
 * all. Needs no key.
 *
 * Rejects with RepositoryBusyError while a backup runs: the manifests are gone by then and their
 * objects wait for the next time; with CorruptRepositoryError, BackupKeyError, TargetError.
 */
export async function pruneBackups(target: Target, options: PruneOptions): Promise<PruneReport> {
  const { clock = systemClock, isExecuted = false, graceMs = dayMs, signal = null } = options
  const decisions = await decide(target, options, clock.now())
  const going = decisions.filter(({ reasons }) => reasons.length === 0)
  const removed = going.map(({ candidate }) => candidate.backupId)
  if (!isExecuted) return { decisions, removed, swept: null }
  const audit = new AuditLog(target, options.repository?.keys.naming.idKey ?? null)
  const actor = options.actor ?? null
  for (const { candidate } of going) {
    signal?.throwIfAborted()
    // Said before it is done: what is gone is known to have gone by right.
    const { backupId } = candidate
    await audit.add({ atMs: clock.now(), action: 'prune', details: backupId, actor })
    await target.remove(manifestKey(candidate.name))
  }
  const swept = await sweep(target, { clock, graceMs, signal })
  return { decisions, removed, swept }
}

async function decide(
  target: Target,
  { policy, repository = null, verified = new Set() }: PruneOptions,
  nowMs: number,
): Promise<ReadonlyArray<KeepDecision<PruneCandidate>>> {
  const held = await heldBackups(target)
  const bySource = new Map<string, PruneCandidate[]>()
  for (const name of await listBackups(target)) {
    const candidate = {
      name,
      backupId: name.backupId,
      takenMs: backupIdTime(name.backupId),
      tags: await tagsOf(repository, name, policy),
      isHeld: held.has(name.backupId),
      isVerified: verified.has(name.backupId),
    }
    bySource.set(name.sourceId, [...(bySource.get(name.sourceId) ?? []), candidate])
  }
  return [...bySource.values()].flatMap((candidates) => {
    return decideKeep(neverBack(candidates), policy, nowMs)
  })
}

/** A clock that was put back makes no backup older than the one before it. */
function neverBack(candidates: readonly PruneCandidate[]): readonly PruneCandidate[] {
  let latestMs = Number.NEGATIVE_INFINITY
  return candidates.map((candidate) => {
    latestMs = Math.max(latestMs, candidate.takenMs)
    return { ...candidate, takenMs: latestMs }
  })
}

/** Only where the policy asks for them: they are in the manifest. */
async function tagsOf(
  repository: Repository | null,
  name: BackupName,
  { tags = [] }: KeepPolicy,
): Promise<readonly string[] | null> {
  if (tags.length === 0) return null
  if (repository?.keys.canRead !== true) {
    throw new BackupKeyError('tags cannot be read without a key', {
      hint: 'give a key, or hold the backups that must stay: `varve backup hold`',
    })
  }
  const { manifest } = await new BackupCatalogue(repository).read(name)
  return manifest.tags
}
