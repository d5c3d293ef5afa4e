import type { DirectoryVarve } from '@varve/broker'
import { partsOf } from '@varve/broker/serving'
import { InvalidArgumentError } from '@varve/record'
import { ServerState } from '../base/server-state.ts'
import type { Acl, AclFilter } from './acl.ts'
import { Acls } from './acls.ts'
import {
  defaultIterations,
  iterationsMax,
  iterationsMin,
  makeCredential,
  type ScramMechanism,
  scramMechanisms,
} from './scram-credential.ts'
import { Users } from './users.ts'

/** A user that can log in, and how. */
export interface UserInfo {
  readonly name: string
  readonly credentials: readonly {
    readonly mechanism: ScramMechanism
    readonly iterations: number
  }[]
}

export interface AddUserOptions {
  /** By which the user can log in, beside PLAIN. @defaultValue both of SCRAM's */
  readonly mechanisms?: readonly ScramMechanism[]
  /** How much work a guess of the password is: 4096 to 16384. @defaultValue 8192 */
  readonly iterations?: number
}

/**
 * Who can log in at a server, and what they may do: kept in the data directory, changed durably,
 * and in force at once. Connections that are there go on as who they are.
 */
export class SecurityStore {
  /** @internal */
  readonly users: Users
  /** @internal */
  readonly acls: Acls

  /** @internal Throws CorruptServerStateError. */
  constructor(state: ServerState) {
    this.users = new Users(state)
    this.acls = new Acls(state)
  }

  /**
   * Adds a user, or gives it another password.
   *
   * Rejects with InvalidArgumentError, StorageError.
   */
  async addUser(name: string, password: string, options: AddUserOptions = {}): Promise<void> {
    const { mechanisms = scramMechanisms, iterations = defaultIterations } = options
    checkName(name)
    if (password === '' || password.includes('\0')) {
      throw new InvalidArgumentError('password', 'not shown', 'must be a text without zeros')
    }
    if (!(Number.isInteger(iterations) && iterations >= iterationsMin)) {
      throw new InvalidArgumentError('iterations', iterations, `must be ${iterationsMin} or more`)
    }
    if (iterations > iterationsMax) {
      throw new InvalidArgumentError('iterations', iterations, `must be ${iterationsMax} or less`)
    }
    if (mechanisms.length === 0 || !mechanisms.every((one) => scramMechanisms.includes(one))) {
      const known = scramMechanisms.join(' and ')
      throw new InvalidArgumentError('mechanisms', mechanisms, `must be some of ${known}`)
    }
    const made = await Promise.all(
      mechanisms.map(async (mechanism) => {
        return { mechanism, credential: await makeCredential(mechanism, password, iterations) }
      }),
    )
    await this.users.change(
      scramMechanisms.map((mechanism) => {
        // An old password must not stay behind for a mechanism that is not named.
        const credential = made.find((one) => one.mechanism === mechanism)?.credential ?? null
        return { user: name, mechanism, credential }
      }),
    )
  }

  /** Returns whether there was such a user. Rejects with StorageError. */
  async removeUser(name: string): Promise<boolean> {
    if (!this.users.all.has(name)) return false
    await this.users.change(
      scramMechanisms.map((mechanism) => ({ user: name, mechanism, credential: null })),
    )
    return true
  }

  /** All users, by name. */
  listUsers(): readonly UserInfo[] {
    return [...this.users.all]
      .map(([name, credentials]) => {
        const infos = [...credentials].map(([mechanism, { iterations }]) => {
          return { mechanism, iterations }
        })
        return { name, credentials: infos }
      })
      .sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  /**
   * Adds access rules, all or none; those that are there already stay. From the first on, what no
   * rule allows is denied to all but super users (see `accessWithoutAcls`).
   *
   * Rejects with InvalidArgumentError, StorageError.
   */
  addAcls(acls: readonly Acl[]): Promise<void> {
    return this.acls.add(acls)
  }

  /** Removes the rules that any of the filters matches, and returns them. */
  async removeAcls(filters: readonly AclFilter[]): Promise<readonly Acl[]> {
    const removed = await this.acls.remove(filters)
    return [...new Set(removed.flat())]
  }

  listAcls(filter: AclFilter = {}): readonly Acl[] {
    return this.acls.list(filter)
  }
}

/**
 * The users and access rules of an open data directory that nobody serves; of one that is served,
 * its server's `security` has to be taken.
 *
 * @throws InvalidArgumentError for what is no open data directory
 * @throws CorruptServerStateError
 */
export function securityOf(varve: DirectoryVarve): SecurityStore {
  const parts = partsOf(varve)
  if (parts === null) {
    throw new InvalidArgumentError('varve', varve, 'must be an open data directory')
  }
  return new SecurityStore(ServerState.load(parts.fs, parts.topics.directory.path))
}

function checkName(name: string): void {
  const isName = name !== '' && !name.includes('\0') && Buffer.byteLength(name) <= 255
  if (!isName) throw new InvalidArgumentError('name', name, 'must have 1 to 255 bytes, none zero')
}
