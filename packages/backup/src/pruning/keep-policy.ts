import { InvalidArgumentError } from '@varve/record'

/** Which backups are kept. A backup stays when any of these says so. */
export interface KeepPolicy {
  /** The newest ones. @defaultValue 0 */
  readonly last?: number
  /** The newest of each hour, of so many hours that have any; UTC. @defaultValue 0 */
  readonly hourly?: number
  /** @defaultValue 0 */
  readonly daily?: number
  /** Weeks begin on Monday (ISO 8601). @defaultValue 0 */
  readonly weekly?: number
  /** @defaultValue 0 */
  readonly monthly?: number
  /** @defaultValue 0 */
  readonly yearly?: number
  /** All that are younger than this, in ms. @defaultValue 0 */
  readonly withinMs?: number
  /** All that have one of these tags. @defaultValue [] */
  readonly tags?: readonly string[]
  /** At least so many that were verified stay, the newest ones. @defaultValue 1 */
  readonly verified?: number
}

/** What is known of a backup when it is decided whether it stays. */
export interface KeepCandidate {
  readonly backupId: string
  /** When it was taken, in ms since the epoch. */
  readonly takenMs: number
  /** Null when nobody here can read them. */
  readonly tags: readonly string[] | null
  readonly isHeld: boolean
  /** Whether every byte of it was read and found sound. */
  readonly isVerified: boolean
}

export interface KeepDecision<Candidate> {
  readonly candidate: Candidate
  /** Why it stays; empty for one that goes. */
  readonly reasons: readonly string[]
}

/**
 * Decides over the backups of one source. Pure: nothing is asked, nothing done. Of two that were
 * taken at the same moment the later one in the list is the newer. The answer is in the order of
 * time, oldest first. Throws InvalidArgumentError for a policy that keeps nothing.
 */
export function decideKeep<Candidate extends KeepCandidate>(
  candidates: readonly Candidate[],
  policy: KeepPolicy,
  nowMs: number,
): ReadonlyArray<KeepDecision<Candidate>> {
  checkKeepPolicy(policy)
  const newestFirst = candidates.toReversed().sort((a, b) => b.takenMs - a.takenMs)
  const reasons = new Map(newestFirst.map((candidate) => [candidate, [] as string[]]))
  const keep = (candidate: Candidate, reason: string): void => {
    reasons.get(candidate)?.push(reason)
  }
  for (const candidate of newestFirst.slice(0, policy.last ?? 0)) keep(candidate, 'last')
  for (const [name, periodOf] of periods) {
    for (const candidate of newestOfEach(newestFirst, periodOf, policy[name] ?? 0)) {
      keep(candidate, name)
    }
  }
  for (const candidate of newestFirst) {
    if (nowMs - candidate.takenMs < (policy.withinMs ?? 0)) keep(candidate, 'within')
    const tag = policy.tags?.find((wanted) => candidate.tags?.includes(wanted))
    if (tag !== undefined) keep(candidate, `tag ${tag}`)
    if (candidate.isHeld) keep(candidate, 'held')
  }
  const verified = newestFirst.filter(({ isVerified }) => isVerified)
  for (const candidate of verified.slice(0, policy.verified ?? 1)) keep(candidate, 'verified')
  return newestFirst
    .toReversed()
    .map((candidate) => ({ candidate, reasons: reasons.get(candidate) ?? [] }))
}

const periods = [
  ['hourly', (iso: string) => iso.slice(0, 13)],
  ['daily', (iso: string) => iso.slice(0, 10)],
  ['weekly', (iso: string) => weekOf(iso)],
  ['monthly', (iso: string) => iso.slice(0, 7)],
  ['yearly', (iso: string) => iso.slice(0, 4)],
] as const

function newestOfEach<Candidate extends KeepCandidate>(
  newestFirst: readonly Candidate[],
  periodOf: (iso: string) => string,
  count: number,
): readonly Candidate[] {
  const found = new Map<string, Candidate>()
  for (const candidate of newestFirst) {
    const period = periodOf(new Date(candidate.takenMs).toISOString())
    if (!found.has(period)) found.set(period, candidate)
  }
  return [...found.values()].slice(0, count)
}

const dayMs = 86_400_000

/** The Monday of its week. */
function weekOf(iso: string): string {
  const day = Date.parse(`${iso.slice(0, 10)}T00:00:00Z`)
  const sinceMonday = (new Date(day).getUTCDay() + 6) % 7
  return new Date(day - sinceMonday * dayMs).toISOString().slice(0, 10)
}

const counts = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'verified'] as const

/** Throws InvalidArgumentError for a policy that keeps nothing, or that is none. */
export function checkKeepPolicy(policy: KeepPolicy): void {
  for (const name of counts) {
    const value = policy[name] ?? 0
    if (Number.isSafeInteger(value) && value >= 0) continue
    throw new InvalidArgumentError(name, value, 'must be a whole number of 0 or more')
  }
  const withinMs = policy.withinMs ?? 0
  if (!(withinMs >= 0)) throw new InvalidArgumentError('withinMs', withinMs, 'must be 0 or more')
  const keeps = counts.some((name) => name !== 'verified' && (policy[name] ?? 0) > 0)
  if (keeps || withinMs > 0 || (policy.tags?.length ?? 0) > 0) return
  throw new InvalidArgumentError('policy', 'empty', 'must keep something: last, daily, within, …')
}
