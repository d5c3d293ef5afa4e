import type { Cleaner } from '@varve/cleaner'
import type { FileSystem } from '@varve/log'
import type { Groups } from './groups/groups.ts'
import type { EffectLedgers } from './handling/effect-ledgers.ts'
import type { ProducerIds } from './producing/producer-ids.ts'
import type { Queues } from './queues/queues.ts'
import type { Topics } from './topics/topics.ts'
import type { TransactionCoordinator } from './transactions/transaction-coordinator.ts'

/** What an open data directory is made of. */
export interface DirectoryParts {
  readonly fs: FileSystem
  readonly topics: Topics
  readonly ids: ProducerIds
  readonly coordinator: TransactionCoordinator
  readonly groups: Groups
  readonly queues: Queues
  readonly ledgers: EffectLedgers
  readonly cleaner: Cleaner
}

/** Of each open data directory: kept apart from its class, whose face is for programs. */
const partsOfDirectories = new WeakMap<object, DirectoryParts>()

/** Takes note of what an open data directory is made of. */
export function rememberParts(directory: object, parts: DirectoryParts): void {
  partsOfDirectories.set(directory, parts)
}

/** What an open data directory is made of; null for what is none, as a cluster. */
export function partsOf(directory: object): DirectoryParts | null {
  return partsOfDirectories.get(directory) ?? null
}

/** Closes them, the logs last. */
export async function closeParts(parts: DirectoryParts): Promise<void> {
  await parts.cleaner.close()
  parts.ledgers.close()
  await parts.queues.close()
  await parts.groups.close()
  await parts.coordinator.close()
  await parts.topics.close()
}
