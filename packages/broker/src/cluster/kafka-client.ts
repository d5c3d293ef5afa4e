import { KafkaClientMissingError } from './cluster-errors.ts'

/** The optional package: connections, TLS, SASL, and the forms of Kafka's requests. */
export type KafkaClient = typeof import('@platformatic/kafka')

export type MetadataAnswer = ReturnType<KafkaClient['metadataV12']['parseResponse']>
export type MetadataTopic = MetadataAnswer['topics'][number]
export type ProduceAnswer = ReturnType<KafkaClient['produceV11']['parseResponse']>
export type DescribeGroupsAnswer = ReturnType<KafkaClient['describeGroupsV5']['parseResponse']>
export type JoinGroupAnswer = ReturnType<KafkaClient['joinGroupV9']['parseResponse']>
export type OffsetFetchAnswer = ReturnType<KafkaClient['offsetFetchV9']['parseResponse']>

const packageName = '@platformatic/kafka'

/** Rejects with KafkaClientMissingError. */
export async function loadKafkaClient(
  load: () => Promise<KafkaClient> = () => import('@platformatic/kafka'),
): Promise<KafkaClient> {
  try {
    return await load()
  } catch (error) {
    throw new KafkaClientMissingError(packageName, error)
  }
}
