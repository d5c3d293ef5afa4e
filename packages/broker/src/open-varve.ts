import { type ClusterAddress, isClusterAddress } from './cluster/cluster-address.ts'
import { ClusterVarve } from './cluster-varve.ts'
import { type DirectoryVarve, openDataDirectory } from './directory-varve.ts'
import type { Varve, VarveOptions } from './varve.ts'

/**
 * What `openVarve` makes of an address: where the program's text says which kind it is, with all
 * that kind has; where only running it tells, what both have.
 */
export type VarveAt<Address extends string> = string extends Address
  ? Varve
  : Address extends ClusterAddress
    ? ClusterVarve
    : DirectoryVarve

/**
 * Opens the topics at an address: of a data directory of this machine (`./data`), made when it is
 * not there, or of an Apache Kafka cluster (`kafka://host:9092`, several brokers behind commas;
 * `kafka+tls://` with TLS), with producers, consumers, groups and transactions. The same program
 * runs on both.
 *
 * A data directory is open to one process at a time. A cluster needs the optional package
 * `@platformatic/kafka`; user and password go into `options.cluster.sasl`, not into the address.
 *
 * Rejects, for a directory, as `openDataDirectory` does; for a cluster with
 * ClusterUnavailableError when no broker answers within `cluster.connectTimeoutMs`,
 * ClusterAuthenticationError, KafkaClientMissingError, ClusterUnsupportedError; with
 * InvalidArgumentError.
 *
 * @example
 * ```ts
 * await using varve = await openVarve('./data')
 * await varve.createTopic('orders', { partitions: 3 })
 * const producer = varve.producer()
 * await producer.send('orders', { key: 'o-17', value: 'paid' })
 * ```
 *
 * @example Which it is, is configured:
 * ```ts
 * const varve: Varve = await openVarve(process.env['VARVE'] ?? './data', {
 *   cluster: { sasl: { mechanism: 'SCRAM-SHA-512', username, password } },
 * })
 * ```
 */
export async function openVarve<const Address extends string>(
  address: Address,
  options: VarveOptions = {},
): Promise<VarveAt<Address>> {
  const varve: Varve = isClusterAddress(address)
    ? await ClusterVarve.open(address, options)
    : await openDataDirectory(address, options)
  return varve as VarveAt<Address>
}
