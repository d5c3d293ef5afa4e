import type { ApiDeclaration } from '../../../packages/server/src/protocol/api-declaration.ts'
import type { MessageKind } from '../../../packages/server/src/protocol/message-codec.ts'
import {
  type FieldLayout,
  layoutOf,
  type StructLayout,
  type TypeLayout,
} from '../../../packages/server/src/protocol/message-layout.ts'
import type { Message } from '../../../packages/server/test/protocol/message-arbitrary.ts'

/** Fields that Kafka has renamed when versions between brokers were added. */
const renamed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'AddPartitionsToTxn request': {
    transactionalId: 'v3AndBelowTransactionalId',
    producerId: 'v3AndBelowProducerId',
    producerEpoch: 'v3AndBelowProducerEpoch',
    topics: 'v3AndBelowTopics',
  },
  'AddPartitionsToTxn response': { results: 'resultsByTopicV3AndBelow' },
}

/** A message in the JSON that Kafka's converters read, without tagged fields that are default. */
export function kafkaJsonOf(
  api: ApiDeclaration,
  kind: MessageKind,
  version: number,
  message: Message,
): unknown {
  const isFlexible = api.flexibleFrom !== null && version >= api.flexibleFrom
  const json = structJson(layoutOf(api[kind], version, isFlexible), message)
  const names = renamed[`${api.name} ${kind}`] ?? {}
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [names[name] ?? name, value]),
  )
}

function structJson(layout: StructLayout, message: Message): Record<string, unknown> {
  const tagged = layout.tagged.filter((field) => !isDefault(field, message[field.name]))
  const fields = [...layout.fields, ...tagged]
  return Object.fromEntries(fields.map(({ name, type }) => [name, valueJson(type, message[name])]))
}

function isDefault({ type, fallback }: FieldLayout, value: unknown): boolean {
  if (type.kind === 'scalar') return value === fallback
  return JSON.stringify(value) === JSON.stringify(fallback)
}

function valueJson(type: TypeLayout, value: unknown): unknown {
  if (value === null) return null
  if (type.kind === 'struct') return structJson(type.struct, value as Message)
  if (type.kind === 'array') {
    return (value as readonly unknown[]).map((element) => valueJson(type.element, element))
  }
  return Buffer.isBuffer(value) ? value.toString('base64') : value
}
