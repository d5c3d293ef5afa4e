import { checkTopicName } from '@varve/broker/serving'
import type { Administration } from '../administration/administration.ts'
import {
  type ConfigEntry,
  configSources,
  configTypes,
  resourceTypes,
} from '../administration/config-entry.ts'
import {
  allBrokersEntries,
  brokerEntries,
  topicEntries,
} from '../administration/described-configs.ts'
import { refusal, unauthorized } from '../administration/refusals.ts'
import { checkBroker } from '../administration/replica-assignment.ts'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import { distinctBy } from '../base/distinct.ts'
import type { ServerContext } from '../base/server-context.ts'
import { RequestRefusedError } from '../base/server-errors.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { describeConfigs } from '../protocol/apis/describe-configs.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Request = RequestOf<typeof describeConfigs>
type Resource = Request['resources'][number]
type Result = ResponseOf<typeof describeConfigs>['results'][number]

/** What the cluster's rights are asked for. */
const brokerTypes: ReadonlySet<number> = new Set([
  resourceTypes.broker,
  resourceTypes.brokerLogger,
  resourceTypes.clientMetrics,
])

/**
 * DescribeConfigs: of topics, of groups, of the broker, and of all brokers (whose name is empty).
 * Loggers and metrics of clients have no settings here, which is what is said of them.
 */
export function describeConfigsHandler(
  server: ServerContext,
  administration: Administration,
): ApiHandler {
  return handlerOf(describeConfigs, { versions: '0-4' }, async (call, request) => {
    const resources = distinctBy(request.resources, keyOf)
    const results = await call.turns.map(resources, (resource) => {
      return describe(server, administration, call, request, resource)
    })
    return { results }
  })
}

function keyOf({ resourceType, resourceName }: Resource): string {
  return `${resourceType} ${resourceName}`
}

function describe(
  server: ServerContext,
  administration: Administration,
  call: Call,
  request: Request,
  resource: Resource,
): Result {
  const { resourceType, resourceName, configurationKeys } = resource
  try {
    const entries = entriesOf(server, administration, call, resource)
    const keys = new Set(configurationKeys)
    const wanted = keys.size === 0 ? entries : entries.filter(({ name }) => keys.has(name))
    const configs = wanted.map((entry) => described(entry, request))
    const none = { errorCode: errorCodes.NONE, errorMessage: '' }
    return { ...none, resourceType, resourceName, configs }
  } catch (error) {
    return { ...refusal(error), resourceType, resourceName, configs: [] }
  }
}

function entriesOf(
  server: ServerContext,
  { brokerSettings, groupConfigs }: Administration,
  call: Call,
  { resourceType, resourceName }: Resource,
): readonly ConfigEntry[] {
  if (resourceType === resourceTypes.topic) {
    if (!call.may('describeConfigs', 'topic', resourceName)) {
      throw unauthorized('TOPIC_AUTHORIZATION_FAILED')
    }
    checkTopicName(resourceName)
    const { topics } = server.parts
    const topic = topics.topic(resourceName)
    return topicEntries(topic, topics.settings.own(resourceName), brokerSettings)
  }
  if (resourceType === resourceTypes.group) {
    if (!call.may('describeConfigs', 'group', resourceName)) {
      throw unauthorized('GROUP_AUTHORIZATION_FAILED')
    }
    if (resourceName === '') throw unnamed('group')
    return groupConfigs.entries(resourceName)
  }
  if (!brokerTypes.has(resourceType)) {
    const rule = `there are no settings of resources of type ${resourceType}`
    throw new RequestRefusedError('INVALID_REQUEST', rule)
  }
  if (!call.may('describeConfigs', 'cluster', clusterResource)) {
    throw unauthorized('CLUSTER_AUTHORIZATION_FAILED')
  }
  if (resourceType === resourceTypes.clientMetrics) {
    return withoutSettings('subscription', resourceName)
  }
  if (resourceType === resourceTypes.brokerLogger) {
    if (resourceName !== '') checkBroker(resourceName, server.options.nodeId)
    return withoutSettings('broker', resourceName)
  }
  if (resourceName === '') return allBrokersEntries(brokerSettings)
  checkBroker(resourceName, server.options.nodeId)
  return brokerEntries(server, brokerSettings)
}

function withoutSettings(what: string, name: string): readonly ConfigEntry[] {
  if (name === '') throw unnamed(what)
  return []
}

function unnamed(what: string): RequestRefusedError {
  return new RequestRefusedError('INVALID_REQUEST', `the name of a ${what} must not be empty`)
}

function described(
  { name, value, source, type, isReadOnly, documentation, synonyms }: ConfigEntry,
  { includeSynonyms, includeDocumentation }: Request,
): Result['configs'][number] {
  return {
    ...{ name, value, readOnly: isReadOnly, isSensitive: false },
    isDefault: source === configSources.default,
    configSource: source,
    synonyms: includeSynonyms ? synonyms : [],
    configType: configTypes[type],
    documentation: includeDocumentation ? documentation : null,
  }
}
