import { ProducerFencedError } from '../base/broker-errors.ts'
import type { IdentitySource, ProducerIdentity } from '../producing/producer-identity.ts'
import { type Cluster, isPassingFailure } from './cluster.ts'
import { ClusterRefusedError } from './cluster-errors.ts'
import { kafkaCodes } from './kafka-codes.ts'

/** Identities of a producer without a name: a new one each time. */
export function anonymousIdentities(cluster: Cluster): Required<IdentitySource> {
  const take = (): Promise<ProducerIdentity> => {
    return cluster.retrying('getting a producer id', () => {
      const { api } = cluster.client.initProducerIdV4
      return cluster.onAny(async (connection) => {
        return identityOf(await api.async(connection, null, 0, -1n, -1))
      })
    })
  }
  return { take, renew: take, giveBack: () => undefined }
}

/** Identities of a name or transactional id: each fences those before it. */
export class NamedIdentities implements Required<IdentitySource> {
  readonly #cluster: Cluster
  readonly #name: string
  readonly #timeoutMs: number
  #tell: ((error: unknown) => void) | null = null

  constructor(cluster: Cluster, name: string, timeoutMs: number) {
    this.#cluster = cluster
    this.#name = name
    this.#timeoutMs = timeoutMs
  }

  take(fenced: (error: unknown) => void): Promise<ProducerIdentity> {
    this.#tell = fenced
    return this.#init({ producerId: -1, producerEpoch: -1 })
  }

  renew(identity: ProducerIdentity): Promise<ProducerIdentity> {
    return this.#init(identity)
  }

  giveBack(): void {
    // The next of its name gets it, with a higher epoch.
  }

  /** A broker has said that somebody else has it. */
  fenced(why: string): ProducerFencedError {
    const error = new ProducerFencedError(this.#name, why)
    this.#tell?.(error)
    return error
  }

  /** What a refusal means; fencing is told. */
  inOurWords(error: unknown): unknown {
    if (!(error instanceof ClusterRefusedError)) return error
    const { kafkaErrorCode, message } = error
    const isFenced =
      kafkaErrorCode === kafkaCodes.invalidProducerEpoch ||
      kafkaErrorCode === kafkaCodes.producerFenced
    return isFenced ? this.fenced(message) : error
  }

  async #init({ producerId, producerEpoch }: ProducerIdentity): Promise<ProducerIdentity> {
    const { api } = this.#cluster.client.initProducerIdV4
    try {
      return await this.#cluster.retrying(
        `getting the producer id of '${this.#name}'`,
        () =>
          this.#cluster.onCoordinator('transaction', this.#name, async (connection) => {
            const id = BigInt(producerId)
            const answer = api.async(connection, this.#name, this.#timeoutMs, id, producerEpoch)
            return identityOf(await answer)
          }),
        { isPassing: isPassingFailure },
      )
    } catch (error) {
      throw this.inOurWords(error)
    }
  }
}

function identityOf(answer: {
  readonly producerId: bigint
  readonly producerEpoch: number
}): ProducerIdentity {
  return { producerId: Number(answer.producerId), producerEpoch: answer.producerEpoch }
}
