import { partitionName, type TopicPartition } from '../base/topic-partition.ts'

/** Remembers which effects have been done. */
export interface EffectLedger {
  /**
   * Does the effect unless it has been done, and remembers it. Resolves with whether it was done
   * now. When the effect fails nothing is remembered.
   */
  run(id: string, effect: () => Promise<void> | void): Promise<boolean>
}

/** A ledger that outlives the process. Made by `varve.effectLedger()`. */
export interface DurableEffectLedger extends EffectLedger {
  /** How many effects are remembered. */
  readonly size: number
  /** Forgets what is older than the retention time. Returns how many. */
  expire(): Promise<number>
}

/** Where effects are remembered, and what tells them apart. */
export interface OnceOnlyOptions<R> {
  readonly ledger: EffectLedger
  /**
   * What tells one effect from another: the record's place (`offset`), so that a record delivered
   * again has no second effect; its `key`, so that a record sent twice under one key has none; or
   * an id of the caller's own. Null: no id, the effect is done each time.
   * @defaultValue 'offset'
   */
  readonly by?: 'offset' | 'key' | ((record: R) => string | null)
}

interface IdentifiableRecord extends TopicPartition {
  readonly offset: number
  readonly key: unknown
}

/**
 * Makes a handler whose effect happens once for each id, however often its record is delivered.
 *
 * With a ledger that notes an id after its effect, as LogEffectLedger does, an effect can happen
 * twice only when the process dies between the two. A ledger that keeps its notes where the effect
 * goes, in the same transaction (a table beside the one that is changed), closes that gap.
 *
 * @example
 * ```ts
 * const handler = onceOnly((record) => bill(record.value), { ledger, by: 'key' })
 * ```
 */
export function onceOnly<R extends IdentifiableRecord, Context>(
  handler: (record: R, context: Context) => Promise<void> | void,
  options: OnceOnlyOptions<R>,
): (record: R, context: Context) => Promise<void> {
  const { ledger, by = 'offset' } = options
  /** Deliveries of the same id at the same time come one after the other. */
  const running = new Map<string, Promise<unknown>>()
  return async (record, context) => {
    const id = idOf(record, by)
    if (id === null) {
      await handler(record, context)
      return
    }
    const before = running.get(id)
    const turn = (async () => {
      await before?.catch(() => undefined)
      await ledger.run(id, () => handler(record, context))
    })()
    running.set(id, turn)
    try {
      await turn
    } finally {
      if (running.get(id) === turn) running.delete(id)
    }
  }
}

function idOf<R extends IdentifiableRecord>(
  record: R,
  by: NonNullable<OnceOnlyOptions<R>['by']>,
): string | null {
  if (typeof by === 'function') return by(record)
  if (by === 'offset') return `${partitionName(record)}@${record.offset}`
  const { topic, key } = record
  if (key === null || key === undefined) return null
  const text = key instanceof Uint8Array ? Buffer.from(key).toString('latin1') : String(key)
  return `${topic}/${text}`
}
