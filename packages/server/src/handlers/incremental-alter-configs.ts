import type { Administration } from '../administration/administration.ts'
import { alterResource } from '../administration/config-alteration.ts'
import { done, duplicatesIn, refusal } from '../administration/refusals.ts'
import type { ConfigOperation } from '../administration/topic-changes.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { RequestRefusedError } from '../base/server-errors.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { incrementalAlterConfigs } from '../protocol/apis/incremental-alter-configs.ts'

type Resource = RequestOf<typeof incrementalAlterConfigs>['resources'][number]
type Result = ResponseOf<typeof incrementalAlterConfigs>['responses'][number]

/** In the order of their numbers. */
const operationNames = ['set', 'delete', 'append', 'subtract'] as const

/** IncrementalAlterConfigs: the settings that are named change, all of a resource or none. */
export function incrementalAlterConfigsHandler(
  server: ServerContext,
  administration: Administration,
): ApiHandler {
  return handlerOf(incrementalAlterConfigs, { versions: '0-1' }, async (call, request) => {
    const keyOf = ({ resourceType, resourceName }: Resource): string =>
      `${resourceType} ${resourceName}`
    const twice = duplicatesIn(request.resources.map(keyOf))
    const responses: Result[] = []
    for (const resource of request.resources) {
      const pause = call.turns.next()
      if (pause !== undefined) await pause
      const { resourceType, resourceName } = resource
      try {
        await alterResource(server, administration, call, {
          ...{ resourceType, resourceName, operations: operationsOf(resource) },
          isNamedTwice: twice.has(keyOf(resource)),
          isReplacement: false,
          validateOnly: request.validateOnly,
        })
        responses.push({ resourceType, resourceName, ...done })
      } catch (error) {
        responses.push({ resourceType, resourceName, ...refusal(error) })
      }
    }
    return { responses }
  })
}

function operationsOf({ configs }: Resource): readonly ConfigOperation[] {
  return configs.map(({ name, configOperation, value }) => {
    const operation = operationNames[configOperation]
    if (operation !== undefined) return { name, operation, value }
    throw new RequestRefusedError('INVALID_REQUEST', `unknown operation ${configOperation}`)
  })
}
