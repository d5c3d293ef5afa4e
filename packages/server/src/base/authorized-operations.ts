import type { Operation, ResourceType } from './access.ts'
import type { Call } from './api-handler.ts'

/** Kafka's numbers of operations, and which of them there are for a type of resource. */
const operationBits: Readonly<Record<Operation, number>> = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
  createTokens: 13,
  describeTokens: 14,
}

const operationsOf: Readonly<Partial<Record<ResourceType, readonly Operation[]>>> = {
  topic: [
    'read',
    'write',
    'create',
    'delete',
    'alter',
    'describe',
    'describeConfigs',
    'alterConfigs',
  ],
  group: ['read', 'delete', 'describe', 'describeConfigs', 'alterConfigs'],
  cluster: [
    ...(['create', 'alter', 'describe', 'clusterAction', 'describeConfigs'] as const),
    ...(['alterConfigs', 'idempotentWrite'] as const),
  ],
}

/** In answers to whoever did not ask what it may do. */
export const operationsNotAsked: number = -(2 ** 31)

/** What the caller may do with a resource, as the bits of KIP-430. */
export function authorizedOperations(call: Call, type: ResourceType, name: string): number {
  let bits = 0
  for (const operation of operationsOf[type] ?? []) {
    if (call.may(operation, type, name)) bits |= 1 << operationBits[operation]
  }
  return bits
}
