import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  type Repository,
  SegmentHealer,
  type SegmentHealerOptions,
  SelfHealing,
} from '@varve/backup'
import { cleanerChannels, type RotEvent } from '@varve/cleaner'
import type { Log } from '@varve/log'
import { parsePartitionDirectoryName } from '@varve/log/files'
import { VarveError } from '@varve/record'
import type { DirectoryVarve } from '../directory-varve.ts'

/**
 * From now on, heals segments of an open data directory from repositories when a reader or a
 * scrubber meets damage in them, until it is closed; what becomes of each is told on `healChannel`.
 * Nothing takes the place of anything unless it is proven to be what the log once sealed.
 *
 * @example
 * ```ts
 * const repository = await Repository.open(new DirectoryTarget('/mnt/backup'))
 * await using healing = healFrom(varve, [repository])
 * ```
 */
export function healFrom(
  varve: DirectoryVarve,
  repositories: readonly Repository[],
  options: SegmentHealerOptions = {},
): SelfHealing {
  const healing = new ScrubbedHealing({
    logAt: (directory) => logAt(varve, directory),
    healer: new SegmentHealer(repositories, options),
    exclusively: (log, action) => varve.cleaner.exclusively(log, action),
  })
  return healing
}

/** Hears of what scrubbers find too. */
class ScrubbedHealing extends SelfHealing {
  readonly #found = (event: unknown): void => {
    this.report((event as RotEvent).segment.path)
  }

  constructor(options: ConstructorParameters<typeof SelfHealing>[0]) {
    super(options)
    subscribe(cleanerChannels.rot.name, this.#found)
  }

  override async close(): Promise<void> {
    unsubscribe(cleanerChannels.rot.name, this.#found)
    await super.close()
  }
}

function logAt(varve: DirectoryVarve, directory: string): Log | null {
  const parsed = parsePartitionDirectoryName(directory.slice(directory.lastIndexOf('/') + 1))
  if (parsed === null) return null
  try {
    const log = varve.log(parsed.topic, parsed.partition)
    return log.directory === directory ? log : null
  } catch (error) {
    // There is no such topic here, or it is offline.
    if (error instanceof VarveError) return null
    throw error
  }
}
