import { createHmac, randomBytes } from 'node:crypto'
import type { ServerState } from '../base/server-state.ts'
import {
  credentialText,
  defaultIterations,
  keyBytesOf,
  parseCredential,
  type ScramCredential,
  type ScramMechanism,
  scramMechanisms,
} from './scram-credential.ts'

/** What is to become of a user's credential of one mechanism; null removes it. */
export interface CredentialChange {
  readonly user: string
  readonly mechanism: ScramMechanism
  readonly credential: ScramCredential | null
}

export type Credentials = ReadonlyMap<ScramMechanism, ScramCredential>

/** As it is stored: the section `users` of the server's state. */
interface Stored {
  readonly secret: string
  readonly users: Readonly<Record<string, Readonly<Partial<Record<ScramMechanism, string>>>>>
}

/** The users that can log in, with what is kept of their passwords. */
export class Users {
  readonly #state: ServerState
  #users: ReadonlyMap<string, Credentials> = new Map()
  /** What most of them have: whoever is not there is answered as fast as somebody who is. */
  #usual: UsualCredentials
  /** Makes the salts of users that there are not, alike in every life of the server. */
  readonly #secret: Buffer

  /** Throws CorruptServerStateError. */
  constructor(state: ServerState) {
    this.#state = state
    const { secret, users } = storedUsers(state)
    this.#secret = secret === '' ? randomBytes(32) : Buffer.from(secret, 'base64')
    this.#users = parseUsers(state, users)
    this.#usual = usualOf(this.#users)
  }

  /** By name. */
  get all(): ReadonlyMap<string, Credentials> {
    return this.#users
  }

  find(user: string, mechanism: ScramMechanism): ScramCredential | null {
    return this.#users.get(user)?.get(mechanism) ?? null
  }

  /**
   * What a user that is not there, or cannot use the mechanism, has to log in against: nothing that
   * anybody can have a password for, and that looks like another's.
   */
  pretended(user: string, mechanism: ScramMechanism): ScramCredential {
    const made = (what: string): Buffer =>
      createHmac('sha512', this.#secret).update(`${mechanism} ${what} ${user}`).digest()
    const bytes = keyBytesOf(mechanism)
    const like = this.#usual.shapes[mechanism]
    return {
      salt: made('salt').subarray(0, like.saltBytes),
      iterations: like.iterations,
      storedKey: made('stored key').subarray(0, bytes),
      serverKey: made('server key').subarray(0, bytes),
    }
  }

  /** The one by which passwords of most users are checked where they are told as they are. */
  get usualMechanism(): ScramMechanism {
    return this.#usual.mechanism
  }

  /** Changes users, all or none, durably. Rejects with StorageError. */
  async change(changes: readonly CredentialChange[]): Promise<void> {
    await this.#state.update('users', (): Stored => {
      const users = new Map(Object.entries(storedUsers(this.#state).users))
      for (const { user, mechanism, credential } of changes) {
        const { [mechanism]: _, ...others } = users.get(user) ?? {}
        const now =
          credential === null ? others : { ...others, [mechanism]: credentialText(credential) }
        if (Object.keys(now).length > 0) users.set(user, now)
        else users.delete(user)
      }
      return { secret: this.#secret.toString('base64'), users: Object.fromEntries(users) }
    })
    this.#users = withChanges(this.#users, changes)
    this.#usual = usualOf(this.#users)
  }
}

function withChanges(
  before: ReadonlyMap<string, Credentials>,
  changes: readonly CredentialChange[],
): ReadonlyMap<string, Credentials> {
  const users = new Map(before)
  for (const { user, mechanism, credential } of changes) {
    const credentials = new Map(users.get(user))
    if (credential === null) credentials.delete(mechanism)
    else credentials.set(mechanism, credential)
    if (credentials.size > 0) users.set(user, credentials)
    else users.delete(user)
  }
  return users
}

/** How a credential looks to whoever logs in. */
interface CredentialShape {
  readonly iterations: number
  readonly saltBytes: number
}

interface UsualCredentials {
  readonly mechanism: ScramMechanism
  readonly shapes: Readonly<Record<ScramMechanism, CredentialShape>>
}

/** Made once for all users, of whom there may be many, with each change of them. */
function usualOf(users: ReadonlyMap<string, Credentials>): UsualCredentials {
  const counts = { 'SCRAM-SHA-256': new ShapeCounts(), 'SCRAM-SHA-512': new ShapeCounts() }
  let with256 = 0
  for (const credentials of users.values()) {
    if (credentials.has('SCRAM-SHA-256')) with256++
    for (const [mechanism, credential] of credentials) counts[mechanism].add(credential)
  }
  return {
    mechanism: with256 * 2 >= users.size ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512',
    shapes: {
      'SCRAM-SHA-256': counts['SCRAM-SHA-256'].usual,
      'SCRAM-SHA-512': counts['SCRAM-SHA-512'].usual,
    },
  }
}

class ShapeCounts {
  usual: CredentialShape = { iterations: defaultIterations, saltBytes: 24 }
  #most = 0
  readonly #counts = new Map<number, number>()

  add({ iterations, salt }: ScramCredential): void {
    const key = iterations * 2 ** 16 + salt.length
    const count = (this.#counts.get(key) ?? 0) + 1
    this.#counts.set(key, count)
    if (count <= this.#most) return
    this.#most = count
    this.usual = { iterations, saltBytes: salt.length }
  }
}

function storedUsers(state: ServerState): Stored {
  const section = state.section('users')
  if (section === undefined) return { secret: '', users: {} }
  const { secret, users } = (section ?? {}) as Partial<Stored>
  if (typeof secret !== 'string' || typeof users !== 'object' || users === null) {
    throw state.damaged('users', 'it does not hold users')
  }
  return { secret, users }
}

function parseUsers(state: ServerState, stored: Stored['users']): ReadonlyMap<string, Credentials> {
  const users = new Map<string, Credentials>()
  for (const [user, texts] of Object.entries(stored)) {
    const credentials = new Map<ScramMechanism, ScramCredential>()
    for (const mechanism of scramMechanisms) {
      const text = texts?.[mechanism]
      if (text === undefined) continue
      const credential = typeof text === 'string' ? parseCredential(mechanism, text) : null
      if (credential === null) throw state.damaged('users', 'a credential is not readable')
      credentials.set(mechanism, credential)
    }
    users.set(user, credentials)
  }
  return users
}
