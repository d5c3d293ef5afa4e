import { InvalidArgumentError } from '@varve/record'
import type { Acl, AclFilter } from './acl.ts'
import {
  iterationsMax,
  iterationsMin,
  type ScramMechanism,
  scramMechanisms,
} from './scram-credential.ts'

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

/** Who can log in at a server and what they may do, to look at. */
export interface SecurityListing {
  /** All users, by name. */
  listUsers(): readonly UserInfo[] | Promise<readonly UserInfo[]>
  /** The rules that a filter matches. @defaultValue all */
  listAcls(filter?: AclFilter): readonly Acl[] | Promise<readonly Acl[]>
}

/**
 * Who can log in at a server and what they may do, wherever that is kept: in a data directory
 * (`securityOf`, `server.security`), or behind the network (`securityOfCluster`).
 */
export interface SecurityAdministration extends SecurityListing {
  /**
   * Adds a user, or gives it another password, for the mechanisms that are named and no other.
   * Returns what became of it.
   */
  addUser(name: string, password: string, options?: AddUserOptions): Promise<UserInfo>
  /** Returns whether there was anything to remove. @defaultValue of `mechanisms` all */
  removeUser(name: string, mechanisms?: readonly ScramMechanism[]): Promise<boolean>
  addAcls(acls: readonly Acl[]): Promise<void>
  /** Removes the rules that any of the filters matches, and returns them. */
  removeAcls(filters: readonly AclFilter[]): Promise<readonly Acl[]>
}

/** Throws InvalidArgumentError for what cannot be a user; never with the password. */
export function checkUser(
  name: string,
  password: string,
  { mechanisms, iterations }: Required<AddUserOptions>,
): void {
  const isName = name !== '' && !name.includes('\0') && Buffer.byteLength(name) <= 255
  if (!isName) throw new InvalidArgumentError('name', name, 'must have 1 to 255 bytes, none zero')
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
}
