import { checkTopicName } from '@varve/broker/serving'
import { clusterResource } from '../base/access.ts'
import type { Call } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { RequestRefusedError } from '../base/server-errors.ts'
import type { Administration } from './administration.ts'
import { resourceTypes } from './config-entry.ts'
import { duplicatesIn, unauthorized } from './refusals.ts'
import { checkBroker } from './replica-assignment.ts'
import { alterationTo, type ConfigOperation, changedSettings } from './topic-changes.ts'

/** What is to become of the settings of one resource. */
export interface ResourceAlteration {
  readonly resourceType: number
  readonly resourceName: string
  readonly operations: readonly ConfigOperation[]
  /** Whether settings that are not named go back to their defaults. */
  readonly isReplacement: boolean
  /** Whether the request names the resource more than once: then nothing is done. */
  readonly isNamedTwice: boolean
  readonly validateOnly: boolean
}

/**
 * Changes the settings of a resource, all that are named or none. Rejects with RequestRefusedError
 * and what topics reject with; then nothing has changed.
 */
export async function alterResource(
  server: ServerContext,
  administration: Administration,
  call: Call,
  alteration: ResourceAlteration,
): Promise<void> {
  const { resourceType, resourceName, operations, validateOnly } = alteration
  const isTopic = resourceType === resourceTypes.topic
  checkRights(call, alteration)
  const isGroup = resourceType === resourceTypes.group
  if (!isTopic && !isGroup && resourceType !== resourceTypes.broker) {
    const rule = `settings of resources of type ${resourceType} are not changed`
    throw new RequestRefusedError('INVALID_REQUEST', rule)
  }
  const [twice] = duplicatesIn(operations.map(({ name }) => name))
  if (alteration.isNamedTwice || twice !== undefined) {
    const what = alteration.isNamedTwice ? resourceName : twice
    throw new RequestRefusedError('INVALID_REQUEST', `'${what}' is named more than once`)
  }
  if (isTopic) {
    await alterTopic(server, alteration)
  } else if (isGroup) {
    await administration.groupConfigs.alter(resourceName, operations, alteration)
  } else {
    if (resourceName !== '') checkBroker(resourceName, server.options.nodeId)
    const scope = resourceName === '' ? 'allBrokers' : 'broker'
    await administration.brokerSettings.alter(scope, operations, alteration)
  }
  if (validateOnly) return
  const names = operations.map(({ name }) => name)
  const fields = { ...{ resourceType, resourceName, names }, by: call.client.principal }
  server.logger.info(fields, 'settings were changed')
}

async function alterTopic(
  { parts: { topics } }: ServerContext,
  { resourceName: name, operations, isReplacement, validateOnly }: ResourceAlteration,
): Promise<void> {
  checkTopicName(name)
  const defaults = topics.settings.resolve(name, {})
  const change: Parameters<typeof topics.alter>[1] = (own) => {
    const changed = changedSettings(isReplacement ? {} : own, operations, defaults)
    return alterationTo(changed, own)
  }
  if (validateOnly) topics.checkAlteration(name, change)
  else await topics.alter(name, change)
}

function checkRights(call: Call, { resourceType, resourceName }: ResourceAlteration): void {
  if (resourceType === resourceTypes.topic) {
    if (!call.may('alterConfigs', 'topic', resourceName)) {
      throw unauthorized('TOPIC_AUTHORIZATION_FAILED')
    }
  } else if (resourceType === resourceTypes.group) {
    if (!call.may('alterConfigs', 'group', resourceName)) {
      throw unauthorized('GROUP_AUTHORIZATION_FAILED')
    }
  } else if (!call.may('alterConfigs', 'cluster', clusterResource)) {
    throw unauthorized('CLUSTER_AUTHORIZATION_FAILED')
  }
}
