import { randomBytes } from 'node:crypto'
import type { ClusterVarve } from '@varve/broker'
import { type Cluster, clusterPartsOf } from '@varve/broker/serving'
import { InvalidArgumentError } from '@varve/record'
import { UnknownAclError } from '../base/server-errors.ts'
import { type Acl, type AclFilter, aclKey } from './acl.ts'
import { aclFault } from './acl-check.ts'
import { type AclCodes, aclCodes, aclFilterCodes, aclOf } from './acl-codes.ts'
import {
  defaultIterations,
  mechanismCode,
  mechanismOfCode,
  type ScramMechanism,
  saltBytes,
  saltPassword,
  scramMechanisms,
} from './scram-credential.ts'
import {
  type AddUserOptions,
  checkUser,
  type SecurityAdministration,
  type UserInfo,
} from './security-administration.ts'

/** A credential as a request carries it. */
interface Upsertion {
  name: string
  mechanism: number
  iterations: number
  salt: Buffer
  saltedPassword: Buffer
}

/**
 * The users and access rules of a server, Varve's or Kafka's, over the network. What its brokers
 * refuse rejects with ClusterRefusedError, which has Kafka's name of the reason.
 */
class ClusterSecurity implements SecurityAdministration {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** The password is salted here: the server never sees it. */
  async addUser(name: string, password: string, options: AddUserOptions = {}): Promise<UserInfo> {
    const { mechanisms = scramMechanisms, iterations = defaultIterations } = options
    checkUser(name, password, { mechanisms, iterations })
    const others = scramMechanisms.filter((mechanism) => !mechanisms.includes(mechanism))
    const old = await this.#mechanismsOf(name, others)
    const set = await Promise.all(
      [...new Set(mechanisms)].map(async (mechanism) => {
        const salt = randomBytes(saltBytes)
        const saltedPassword = await saltPassword(mechanism, password, salt, iterations)
        return { name, mechanism: mechanismCode(mechanism), iterations, salt, saltedPassword }
      }),
    )
    await this.#alterUser(name, old, set)
    const credentials = [...new Set(mechanisms)].map((mechanism) => ({ mechanism, iterations }))
    return { name, credentials }
  }

  async removeUser(
    name: string,
    mechanisms: readonly ScramMechanism[] = scramMechanisms,
  ): Promise<boolean> {
    const gone = await this.#mechanismsOf(name, mechanisms)
    if (gone.length > 0) await this.#alterUser(name, gone, [])
    return gone.length > 0
  }

  async listUsers(): Promise<readonly UserInfo[]> {
    const { api } = this.#cluster.client.describeUserScramCredentialsV0
    const { results } = await this.#cluster.retrying('listing users', () => {
      return this.#cluster.onAny((connection) => api.async(connection, []))
    })
    return results
      .map(({ user, credentialInfos }) => {
        const credentials = credentialInfos.flatMap(({ mechanism: code, iterations }) => {
          const mechanism = mechanismOfCode(code)
          return mechanism === null ? [] : [{ mechanism, iterations }]
        })
        return { name: user, credentials }
      })
      .sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  async addAcls(acls: readonly Acl[]): Promise<void> {
    for (const acl of acls) {
      const fault = aclFault(acl)
      if (fault !== null) throw new InvalidArgumentError('acl', acl.resourceName, fault)
    }
    if (acls.length === 0) return
    const creations = acls.map((acl) => creationOf(aclCodes(acl)))
    const { createAclsV3, createAclsV2 } = this.#cluster.client
    const versions = [createAclsV3.api, createAclsV2.api as typeof createAclsV3.api]
    const api = this.#cluster.version('CreateAcls', versions)
    await this.#cluster.retrying('adding access rules', () => {
      return this.#cluster.onAny((connection) => api.async(connection, creations))
    })
  }

  async removeAcls(filters: readonly AclFilter[]): Promise<readonly Acl[]> {
    if (filters.length === 0) return []
    const asked = filters.map((filter) => filterOf(filter))
    const { deleteAclsV3, deleteAclsV2 } = this.#cluster.client
    const versions = [deleteAclsV3.api, deleteAclsV2.api as typeof deleteAclsV3.api]
    const api = this.#cluster.version('DeleteAcls', versions)
    const { filterResults } = await this.#cluster.retrying('removing access rules', () => {
      return this.#cluster.onAny((connection) => api.async(connection, asked))
    })
    const removed = filterResults.flatMap(({ matchingAcls }) => matchingAcls.map(read))
    return [...new Map(removed.map((acl) => [aclKey(acl), acl])).values()]
  }

  async listAcls(filter: AclFilter = {}): Promise<readonly Acl[]> {
    const { describeAclsV3, describeAclsV2 } = this.#cluster.client
    const versions = [describeAclsV3.api, describeAclsV2.api as typeof describeAclsV3.api]
    const api = this.#cluster.version('DescribeAcls', versions)
    const { resources } = await this.#cluster.retrying('listing access rules', () => {
      return this.#cluster.onAny((connection) => {
        return api.async(connection, filterOf(filter))
      })
    })
    return resources.flatMap(({ acls, ...resource }) =>
      acls.map((acl) => read({ ...resource, ...acl })),
    )
  }

  /** Which of these a user has: a broker refuses to remove what is not there. */
  async #mechanismsOf(
    name: string,
    among: readonly ScramMechanism[],
  ): Promise<readonly ScramMechanism[]> {
    if (among.length === 0) return []
    const user = (await this.listUsers()).find((each) => each.name === name)
    const has = user?.credentials.map(({ mechanism }) => mechanism) ?? []
    return among.filter((mechanism) => has.includes(mechanism))
  }

  async #alterUser(
    name: string,
    gone: readonly ScramMechanism[],
    upsertions: Upsertion[],
  ): Promise<void> {
    const deletions = gone.map((mechanism) => ({ name, mechanism: mechanismCode(mechanism) }))
    const { api } = this.#cluster.client.alterUserScramCredentialsV0
    await this.#cluster.retrying(`changing user '${name}'`, () => {
      return this.#cluster.onAny((connection) => api.async(connection, deletions, upsertions))
    })
  }
}

/**
 * The users and access rules of the cluster, or of the served directory, that `varve` is connected
 * with: `openVarve('kafka://host:9092')`.
 *
 * @throws InvalidArgumentError for what is no open cluster
 */
export function securityOfCluster(varve: ClusterVarve): SecurityAdministration {
  const parts = clusterPartsOf(varve)
  if (parts === null) throw new InvalidArgumentError('varve', varve, 'must be an open cluster')
  return new ClusterSecurity(parts.cluster)
}

/** As the client names the fields, whose types are narrower than the protocol's. */
function creationOf({ patternType: resourcePatternType, ...codes }: AclCodes): never {
  return { ...codes, resourcePatternType } as never
}

function filterOf(filter: AclFilter): never {
  const { operation, permissionType, ...codes } = aclFilterCodes(filter)
  return {
    ...{ resourceType: codes.resourceTypeFilter, resourceName: codes.resourceNameFilter },
    ...{ resourcePatternType: codes.patternTypeFilter, principal: codes.principalFilter },
    ...{ host: codes.hostFilter, operation, permissionType },
  } as never
}

/** Brokers may know more than is known here: better an error than a rule that is not shown. */
function read({
  resourcePatternType: patternType,
  ...codes
}: Omit<AclCodes, 'patternType'> & { readonly resourcePatternType: number }): Acl {
  const acl = aclOf({ ...codes, patternType })
  if (typeof acl === 'string') throw new UnknownAclError(acl)
  return acl
}
