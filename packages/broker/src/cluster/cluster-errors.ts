import { VarveError } from '@varve/record'

/** The optional package that speaks with Kafka's brokers is not there, or cannot be loaded. */
export class KafkaClientMissingError extends VarveError {
  readonly code = 'VARVE_KAFKA_CLIENT_MISSING'

  constructor(packageName: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`a cluster needs the package ${packageName}, which cannot be loaded: ${why}`, {
      cause,
      hint: `npm install ${packageName}; a data directory needs nothing`,
    })
  }
}

/** No broker of the cluster that could do it has answered in time. */
export class ClusterUnavailableError extends VarveError {
  readonly code = 'VARVE_CLUSTER_UNAVAILABLE'
  override readonly retriable = true
  /** What was asked for. */
  readonly request: string

  constructor(request: string, brokers: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`${request}: the cluster at ${brokers} did not do it in time: ${why}`, {
      cause,
      hint: 'look whether its brokers run and can be reached, and try again',
    })
    this.request = request
  }
}

/** The cluster refuses who asks: credentials, mechanism, certificate. */
export class ClusterAuthenticationError extends VarveError {
  readonly code = 'VARVE_CLUSTER_AUTHENTICATION'

  constructor(cause: unknown) {
    super('the cluster does not let this program in', {
      cause,
      hint: 'check cluster.sasl, cluster.tls, and what the brokers accept',
    })
  }
}

/** The cluster has answered no, for a reason that has no error of its own here. */
export class ClusterRefusedError extends VarveError {
  readonly code = 'VARVE_CLUSTER_REFUSED'
  /** Kafka's number of the error. */
  readonly kafkaErrorCode: number
  /** Kafka's name of it: TOPIC_AUTHORIZATION_FAILED. */
  readonly kafkaErrorName: string

  constructor(kafkaErrorCode: number, kafkaErrorName: string, message: string) {
    const hint = refusalHint(kafkaErrorName)
    const said = message === '' ? '' : `, ${message}`
    super(`the cluster refused it: ${kafkaErrorName}${said}`, hint === null ? {} : { hint })
    this.kafkaErrorCode = kafkaErrorCode
    this.kafkaErrorName = kafkaErrorName
  }
}

function refusalHint(kafkaErrorName: string): string | null {
  if (kafkaErrorName.endsWith('_AUTHORIZATION_FAILED')) {
    return 'whoever is logged in needs an access rule that allows it, or to be a super user'
  }
  const isWithoutRules = kafkaErrorName === 'SECURITY_DISABLED'
  return isWithoutRules ? 'its brokers keep no access rules: they have no authorizer' : null
}

/** The brokers are too old, or are no Kafka. */
export class ClusterUnsupportedError extends VarveError {
  readonly code = 'VARVE_CLUSTER_UNSUPPORTED'

  constructor(request: string) {
    super(`the brokers do not understand ${request} in any form that is spoken here`, {
      hint: 'Apache Kafka 3.3 or newer is needed',
    })
  }
}
