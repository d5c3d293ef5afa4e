import { CorruptRepositoryError } from '../base/backup-errors.ts'
import {
  decodeReferences,
  encodeReferences,
  type ObjectReferences,
} from '../format/reference-list.ts'
import type { Target } from '../target/target.ts'
import { objectKey } from './repository.ts'

/** Lists of objects that nobody needs, named by since when, in ms by the clock of the store. */
export const unneededPrefix = 'unneeded/'

/** What sweeps have noted of objects that wait for their grace to end. */
export interface UnneededObjects {
  /** Since when nobody needs them, by key. */
  readonly sinceMs: ReadonlyMap<string, number>
  /** The names of the lists. */
  readonly times: ReadonlySet<number>
}

/** Ids by set, by the time since when nobody needs them. */
export type WaitingObjects = Map<number, Map<string, Set<string>>>

/** A list that cannot be read says nothing: its objects are noted again. */
export async function readUnneeded(target: Target): Promise<UnneededObjects> {
  const sinceMs = new Map<string, number>()
  const times = new Set<number>()
  for await (const { key } of target.list(unneededPrefix)) {
    const timeMs = Number(key.slice(unneededPrefix.length))
    const references = await readList(target, key)
    if (!Number.isSafeInteger(timeMs) || references === null) continue
    times.add(timeMs)
    for (const [set, ids] of references) {
      for (const id of ids) sinceMs.set(objectKey(set, id), timeMs)
    }
  }
  return { sinceMs, times }
}

/** Objects that were removed, or are needed again, stand in no list any more. */
export async function writeUnneeded(
  target: Target,
  { times }: UnneededObjects,
  waiting: WaitingObjects,
): Promise<void> {
  for (const [timeMs, references] of waiting) {
    await target.put(listKey(timeMs), encodeReferences(references), { mode: 'replace' })
  }
  for (const timeMs of times) {
    if (!waiting.has(timeMs)) await target.remove(listKey(timeMs))
  }
}

async function readList(target: Target, key: string): Promise<ObjectReferences | null> {
  const bytes = await target.get(key)
  try {
    return bytes && decodeReferences(bytes, key)
  } catch (error) {
    if (error instanceof CorruptRepositoryError) return null
    throw error
  }
}

function listKey(timeMs: number): string {
  return `${unneededPrefix}${String(timeMs).padStart(16, '0')}`
}
