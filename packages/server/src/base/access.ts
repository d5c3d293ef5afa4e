/** What may be done with a resource: Kafka's AclOperation. */
export type Operation =
  | 'read'
  | 'write'
  | 'create'
  | 'delete'
  | 'alter'
  | 'describe'
  | 'clusterAction'
  | 'describeConfigs'
  | 'alterConfigs'
  | 'idempotentWrite'
  | 'createTokens'
  | 'describeTokens'

/** What it may be done with: Kafka's ResourceType. */
export type ResourceType =
  | 'topic'
  | 'group'
  | 'cluster'
  | 'transactionalId'
  | 'delegationToken'
  | 'user'

/** The name of the one resource of type `cluster`. */
export const clusterResource = 'kafka-cluster'

/** Who asks: Kafka's KafkaPrincipal, and where from. */
export interface Caller {
  /** `User:ANONYMOUS` where a listener asks for no authentication. */
  readonly principal: string
  /** The client's address. */
  readonly host: string
}

export const anonymousPrincipal = 'User:ANONYMOUS'

/** Decides what callers may do. Must not wait: it is asked for every topic of every request. */
export interface Authorizer {
  allows(caller: Caller, operation: Operation, type: ResourceType, name: string): boolean
  /**
   * Whether the caller may do it to at least one resource of a type (Kafka's
   * authorizeByResourceType).
   */
  allowsAny(caller: Caller, operation: Operation, type: ResourceType): boolean
}
