import type { Clock } from '@varve/log'
import { type GroupTopics, metadataHashOf } from '../group-topics.ts'
import { sameNames } from './consumer-group-member.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'
import { loadExpressions, topicMatcher } from './topic-expression.ts'

/** Expressions of a group are looked up no more often, and no less often. */
const refreshMinMs = 10_000
const refreshMaxMs = 600_000
/** Others have their turn after so long: some expressions take much time for one name. */
const turnMsMax = 10

/** What is known of topics, and when. */
export interface KnownTopics {
  readonly topics: GroupTopics
  /** Goes up whenever a topic is made. */
  readonly version: number
  readonly nowMs: number
}

/** The regular expressions of a group that are to be looked up now; none where it is not time. */
export function expressionsDue(
  state: ConsumerGroupState,
  hasNew: boolean,
  { version, nowMs }: KnownTopics,
): ReadonlySet<string> {
  const subscribed = new Set([...state.members.values()].map(({ topicRegex }) => topicRegex))
  subscribed.delete('')
  const none = new Set<string>()
  if (subscribed.size === 0) return none
  const [last] = state.expressions.values()
  if (last === undefined) return subscribed
  // Unless the clock was set back.
  if (nowMs >= last.timestamp && nowMs <= last.timestamp + refreshMinMs) return none
  const isDue =
    hasNew ||
    subscribed.size !== state.expressions.size ||
    last.version < version ||
    nowMs > last.timestamp + refreshMaxMs
  return isDue ? subscribed : none
}

/** The topics that each expression stands for, of those that may be seen. */
export async function lookUp(
  expressions: ReadonlySet<string>,
  { topics }: KnownTopics,
  isVisible: (topic: string) => boolean,
  clock: Pick<Clock, 'monotonic'>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  await loadExpressions()
  const found = new Map<string, readonly string[]>()
  const names = [...topics.names()].sort()
  let begunMs = clock.monotonic()
  for (const expression of expressions) {
    const matches = topicMatcher(expression)
    const own: string[] = []
    for (const name of names) {
      if (clock.monotonic() - begunMs > turnMsMax) {
        await new Promise((resolve) => setImmediate(resolve))
        begunMs = clock.monotonic()
      }
      if (matches(name) && isVisible(name)) own.push(name)
    }
    found.set(expression, own)
  }
  return found
}

/** What notes the topics that expressions stand for; in a new epoch where they are others now. */
export function expressionRecords(
  state: ConsumerGroupState,
  group: string,
  found: ReadonlyMap<string, readonly string[]>,
  { topics, version, nowMs }: KnownTopics,
): ConsumerGroupRecord[] {
  const records: ConsumerGroupRecord[] = []
  const names = new Set([...state.members.values()].flatMap(({ topicNames }) => topicNames))
  let isNew = false
  for (const [expression, own] of found) {
    // Nobody may have it any more.
    if (state.readers(expression) === 0) continue
    const before = state.expressions.get(expression)
    // Also of one that stands for nothing: what its reader was to have is others' from now on.
    if (before === undefined || !sameNames(own, before.topics)) isNew = true
    const value = { topics: own, version, timestamp: nowMs }
    records.push({ kind: 'expression', group, expression, value })
  }
  for (const [expression, { topics: known }] of state.expressions) {
    if (!found.has(expression)) for (const name of known) names.add(name)
  }
  for (const own of found.values()) for (const name of own) names.add(name)
  const metadataHash = metadataHashOf(names, topics)
  if (isNew || metadataHash !== state.metadataHash) {
    const epoch = state.epoch + 1
    records.push({ kind: 'epoch', group, value: { epoch, metadataHash } })
  }
  return records
}
