import type { RestorePoint } from '@varve/backup'
import { InvalidArgumentError } from '@varve/record'

/** What the arguments of `varve restore` say of the point and the partitions. */
export interface RestoreWishes {
  /** ISO 8601, or ms since the epoch. */
  readonly at?: string | undefined
  /** `topic-partition=offset`. */
  readonly offsets: readonly string[]
  readonly stable: boolean
  /** Names of topics, or `topic-partition`. */
  readonly topics: readonly string[]
  /** `old=new`. */
  readonly renames: readonly string[]
}

/** Throws InvalidArgumentError. */
export function pointOf({ at, offsets, stable }: RestoreWishes): RestorePoint {
  const given = [at !== undefined, offsets.length > 0, stable].filter(Boolean).length
  if (given > 1) throw new InvalidArgumentError('at', at, 'goes with neither --offset nor --stable')
  if (stable) return { kind: 'stable' }
  if (at !== undefined) return { kind: 'time', timestamp: timeOf(at) }
  if (offsets.length === 0) return { kind: 'end' }
  return { kind: 'offsets', offsets: new Map(offsets.map(offsetOf)) }
}

/** Null for all. Throws InvalidArgumentError. */
export function selectionOf({
  topics,
}: Pick<RestoreWishes, 'topics'>): ((topic: string, partition: number) => boolean) | null {
  if (topics.length === 0) return null
  const wanted = new Set(topics)
  return (topic, partition) => wanted.has(topic) || wanted.has(`${topic}:${partition}`)
}

/** Null without any. Throws InvalidArgumentError. */
export function renamesOf({ renames }: RestoreWishes): ReadonlyMap<string, string> | null {
  if (renames.length === 0) return null
  return new Map(
    renames.map((text) => {
      const [, from, to] = /^([^=]+)=([^=]+)$/.exec(text) ?? []
      if (from !== undefined && to !== undefined) return [from, to] as const
      throw new InvalidArgumentError('rename', text, 'must be old=new')
    }),
  )
}

export function timeOf(text: string): number {
  const timestamp = /^\d{1,16}$/.test(text) ? Number(text) : Date.parse(text)
  if (Number.isFinite(timestamp)) return timestamp
  throw new InvalidArgumentError('at', text, 'must be a time in ISO 8601, or ms since the epoch')
}

function offsetOf(text: string): readonly [string, number] {
  const [, partition, offset] = /^(.+-\d+)=(\d{1,16})$/.exec(text) ?? []
  if (partition !== undefined) return [partition, Number(offset)]
  throw new InvalidArgumentError('offset', text, 'must be topic-partition=offset')
}
