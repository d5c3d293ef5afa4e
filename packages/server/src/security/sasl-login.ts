import type { Clock } from '@varve/log'
import type { ResolvedConnectionLimits } from '../base/connection-limits.ts'
import type { SaslMechanism } from '../base/listener-options.ts'
import type { HandshakeAnswer, Login, TokenAnswer } from '../base/login.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import type { FailedLogins } from './failed-logins.ts'
import { type InTurn, PlainExchange } from './plain-exchange.ts'
import type { SaslExchange } from './sasl-exchange.ts'
import { ScramExchange } from './scram-exchange.ts'
import type { Users } from './users.ts'

/** What the logins of a listener share. */
export interface LoginContext {
  readonly users: Users
  readonly failedLogins: FailedLogins
  readonly inTurn: InTurn
  readonly mechanisms: readonly SaslMechanism[]
  readonly limits: ResolvedConnectionLimits
  readonly clock: Clock
}

/** So many tokens an exchange takes at most: SCRAM's two are the longest. */
const tokensMax = 4

/**
 * Kafka's SASL: SaslHandshake names a mechanism, tokens follow bare (version 0) or in
 * SaslAuthenticate. Where sessions end, the client logs in again in the same way before that
 * (KIP-368), as the same user.
 */
export class SaslLogin implements Login {
  readonly #context: LoginContext
  readonly #host: string
  #exchange: SaslExchange | null = null
  #mechanism: SaslMechanism | null = null
  #tokens = 0
  #isBare = false
  #user: string | null = null
  /** Monotonic, in ms; null for never. */
  #endsAt: number | null = null

  constructor(context: LoginContext, host: string) {
    this.#context = context
    this.#host = host
  }

  get principal(): string | null {
    return this.#user === null ? null : `User:${this.#user}`
  }

  get takesBareTokens(): boolean {
    return this.#isBare && this.#exchange !== null
  }

  admits(isForStrangers: boolean): boolean {
    if (isForStrangers) return true
    if (this.#user === null || this.#exchange !== null) return false
    return this.#endsAt === null || this.#context.clock.monotonic() < this.#endsAt
  }

  handshake(mechanism: string, version: number): HandshakeAnswer {
    const { mechanisms } = this.#context
    const found = mechanisms.find((one) => one === mechanism)
    if (found === undefined) {
      return { errorCode: errorCodes.UNSUPPORTED_SASL_MECHANISM, mechanisms }
    }
    const isAgain = this.#user !== null
    const mayBegin = this.#exchange === null && (!isAgain || this.#endsAt !== null)
    if (!mayBegin || (isAgain && found !== this.#mechanism)) {
      return { errorCode: errorCodes.ILLEGAL_SASL_STATE, mechanisms }
    }
    this.#mechanism = found
    this.#exchange = this.#newExchange(found)
    this.#tokens = 0
    this.#isBare = version === 0
    return { errorCode: errorCodes.NONE, mechanisms }
  }

  async authenticate(token: Buffer): Promise<TokenAnswer> {
    const exchange = this.#exchange
    if (exchange === null || ++this.#tokens > tokensMax) {
      return refused(errorCodes.ILLEGAL_SASL_STATE, 'a handshake has to come before tokens')
    }
    const { failedLogins, limits, clock } = this.#context
    const claimed = exchange.claimedUser(token)
    await this.#wait(failedLogins.holdMs(this.#host, claimed))
    const step = await exchange.next(token)
    if (step.is === 'going-on') {
      return { isAccepted: true, bytes: step.bytes, sessionLifetimeMs: 0 }
    }
    this.#exchange = null
    if (step.is === 'failed' || (this.#user !== null && step.user !== this.#user)) {
      failedLogins.failed(this.#host, claimed)
      await this.#wait(limits.failedLoginDelayMs)
      const reason = `no user logs in like that by ${this.#mechanism}`
      return refused(errorCodes.SASL_AUTHENTICATION_FAILED, reason)
    }
    this.#user = step.user
    const sessionLifetimeMs = limits.loginLifetimeMs
    this.#endsAt = sessionLifetimeMs === 0 ? null : clock.monotonic() + sessionLifetimeMs
    return { isAccepted: true, bytes: step.bytes, sessionLifetimeMs }
  }

  #newExchange(mechanism: SaslMechanism): SaslExchange {
    const { users, inTurn } = this.#context
    if (mechanism === 'PLAIN') return new PlainExchange(users, inTurn)
    return new ScramExchange(mechanism, users)
  }

  #wait(delayMs: number): Promise<void> {
    if (delayMs === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#context.clock.setTimer(delayMs, resolve)
    })
  }
}

function refused(errorCode: number, errorMessage: string): TokenAnswer {
  return { isAccepted: false, errorCode, errorMessage }
}
