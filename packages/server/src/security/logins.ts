import type { Clock } from '@varve/log'
import type { Client } from '../base/client.ts'
import type { ResolvedConnectionLimits } from '../base/connection-limits.ts'
import type { ResolvedListenerOptions } from '../base/listener-options.ts'
import type { Login } from '../base/login.ts'
import { FailedLogins } from './failed-logins.ts'
import type { InTurn } from './plain-exchange.ts'
import { SaslLogin } from './sasl-login.ts'
import type { Users } from './users.ts'

/** How clients of a server's listeners log in, all against the same users. */
export class Logins {
  readonly #users: Users
  readonly #limits: ResolvedConnectionLimits
  readonly #clock: Clock
  readonly #failedLogins: FailedLogins
  #last: Promise<unknown> = Promise.resolve()

  constructor(users: Users, limits: ResolvedConnectionLimits, clock: Clock) {
    this.#users = users
    this.#limits = limits
    this.#clock = clock
    this.#failedLogins = new FailedLogins(clock, limits.failedLoginDelayMs)
  }

  /** Makes the login of each client of a listener; null where clients do not log in. */
  of({ saslMechanisms: mechanisms }: ResolvedListenerOptions): ((client: Client) => Login) | null {
    if (mechanisms === null) return null
    const context = {
      ...{ users: this.#users, failedLogins: this.#failedLogins, mechanisms },
      ...{ limits: this.#limits, clock: this.#clock, inTurn: this.#inTurn },
    }
    return (client) => new SaslLogin(context, client.host)
  }

  readonly #inTurn: InTurn = (work) => {
    const working = this.#last.then(work)
    this.#last = working.catch(() => undefined)
    return working
  }
}
