import { timingSafeEqual } from 'node:crypto'
import type { ExchangeStep, SaslExchange } from './sasl-exchange.ts'
import { saltPassword, scramMechanisms, storedKeyOf } from './scram-credential.ts'
import type { Users } from './users.ts'

/** One after the other: each keeps a thread busy that the disk's work needs too. */
export type InTurn = <Value>(work: () => Promise<Value>) => Promise<Value>

const failed: ExchangeStep = { is: 'failed' }

/**
 * PLAIN (RFC 4616): one token with the user and the password as they are, which is checked against
 * what is kept of the user's password for SCRAM, so that there is one password and one place where
 * it is kept.
 */
export class PlainExchange implements SaslExchange {
  readonly #users: Users
  readonly #inTurn: InTurn

  constructor(users: Users, inTurn: InTurn) {
    this.#users = users
    this.#inTurn = inTurn
  }

  claimedUser(token: Buffer): string | null {
    return parse(token)?.user ?? null
  }

  async next(token: Buffer): Promise<ExchangeStep> {
    const parsed = parse(token)
    if (parsed === null) return failed
    const { actsFor, user, password } = parsed
    const isRight = await this.#inTurn(() => this.#isPassword(user, password))
    if (!isRight || (actsFor !== '' && actsFor !== user)) return failed
    return { is: 'done', bytes: Buffer.alloc(0), user }
  }

  /** Takes as long for a user that is not there. */
  async #isPassword(user: string, password: string): Promise<boolean> {
    const users = this.#users
    const mechanism = scramMechanisms.find((one) => users.find(user, one) !== null)
    const checked = mechanism ?? users.usualMechanism
    const credential = users.find(user, checked) ?? users.pretended(user, checked)
    const { salt, iterations, storedKey } = credential
    const salted = await saltPassword(checked, password, salt, iterations)
    return timingSafeEqual(storedKeyOf(checked, salted), storedKey) && mechanism !== undefined
  }
}

interface PlainToken {
  readonly actsFor: string
  readonly user: string
  readonly password: string
}

function parse(token: Buffer): PlainToken | null {
  const parts = token.toString('utf8').split('\0')
  const [actsFor, user, password] = parts
  if (parts.length !== 3 || actsFor === undefined || !user || !password) return null
  return { actsFor, user, password }
}
