import type { DirectoryVarve } from '@varve/broker'
import { partsOf } from '@varve/broker/serving'
import { LogNotFoundError, nodeFileSystem } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { ServerState } from '../base/server-state.ts'
import type { Acl, AclFilter } from './acl.ts'
import { Acls } from './acls.ts'
import {
  defaultIterations,
  makeCredential,
  type ScramMechanism,
  scramMechanisms,
} from './scram-credential.ts'
import {
  type AddUserOptions,
  checkUser,
  type SecurityAdministration,
  type SecurityListing,
  type UserInfo,
} from './security-administration.ts'
import { Users } from './users.ts'

/**
 * Who can log in at a server, and what they may do: kept in the data directory, changed durably,
 * and in force at once. Connections that are there go on as who they are.
 */
export class SecurityStore implements SecurityAdministration {
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
   * Adds a user, or gives it another password, for the mechanisms that are named and no other.
   * Returns what became of it.
   *
   * Rejects with InvalidArgumentError, StorageError.
   */
  async addUser(name: string, password: string, options: AddUserOptions = {}): Promise<UserInfo> {
    const { mechanisms = scramMechanisms, iterations = defaultIterations } = options
    checkUser(name, password, { mechanisms, iterations })
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
    const credentials = made.map(({ mechanism }) => ({ mechanism, iterations }))
    return { name, credentials }
  }

  /** Returns whether there was anything to remove. Rejects with StorageError. */
  async removeUser(
    name: string,
    mechanisms: readonly ScramMechanism[] = scramMechanisms,
  ): Promise<boolean> {
    const gone = mechanisms.filter((mechanism) => this.users.find(name, mechanism) !== null)
    if (gone.length === 0) return false
    await this.users.change(gone.map((mechanism) => ({ user: name, mechanism, credential: null })))
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

/**
 * The users and access rules of a data directory, as they are at this moment: without a lock, also
 * while it is served.
 *
 * @throws LogNotFoundError when there is no such directory
 * @throws CorruptServerStateError
 */
export function readSecurity(directory: string): SecurityListing {
  if (nodeFileSystem.stat(directory)?.isDirectory !== true) {
    throw new LogNotFoundError(`there is no data directory ${directory}`)
  }
  return new SecurityStore(ServerState.load(nodeFileSystem, directory))
}
