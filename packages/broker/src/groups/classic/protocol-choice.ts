import type { MemberProtocol } from '../group-protocol.ts'

interface Offer {
  readonly protocols: readonly MemberProtocol[]
}

/** The names that all offer, in the first member's order; null where there are no members. */
export function commonProtocols(members: readonly Offer[]): string[] | null {
  const [first, ...others] = members
  if (first === undefined) return null
  // A client may offer any number of them.
  const offered = others.map(({ protocols }) => new Set(protocols.map(({ name }) => name)))
  return first.protocols
    .map(({ name }) => name)
    .filter((name) => offered.every((names) => names.has(name)))
}

/** Of the protocols that all have, the one that most prefer; the first of those in a tie. */
export function chooseProtocol(members: readonly Offer[]): string {
  const common = commonProtocols(members) ?? []
  const votes = new Map<string, number>(common.map((name) => [name, 0]))
  for (const { protocols } of members) {
    const vote = protocols.find(({ name }) => votes.has(name))?.name
    if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1)
  }
  let chosen = ''
  let most = -1
  // In the order of the first member's.
  for (const [name, count] of votes) {
    if (count <= most) continue
    chosen = name
    most = count
  }
  return chosen
}
