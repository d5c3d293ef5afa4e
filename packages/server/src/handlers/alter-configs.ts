import type { Administration } from '../administration/administration.ts'
import { alterResource } from '../administration/config-alteration.ts'
import { done, duplicatesIn, refusal } from '../administration/refusals.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { ResponseOf } from '../protocol/api-declaration.ts'
import { alterConfigs } from '../protocol/apis/alter-configs.ts'

type Result = ResponseOf<typeof alterConfigs>['responses'][number]

/** AlterConfigs: what a resource has is replaced by what is given; the rest goes back. */
export function alterConfigsHandler(
  server: ServerContext,
  administration: Administration,
): ApiHandler {
  return handlerOf(alterConfigs, { versions: '0-2' }, async (call, request) => {
    const keyOf = ({ resourceType, resourceName }: (typeof request.resources)[number]): string =>
      `${resourceType} ${resourceName}`
    const twice = duplicatesIn(request.resources.map(keyOf))
    const responses: Result[] = []
    for (const resource of request.resources) {
      const pause = call.turns.next()
      if (pause !== undefined) await pause
      const { resourceType, resourceName } = resource
      const operations = resource.configs.map((config) => ({
        ...config,
        operation: 'set' as const,
      }))
      try {
        await alterResource(server, administration, call, {
          ...{ resourceType, resourceName, operations },
          isNamedTwice: twice.has(keyOf(resource)),
          isReplacement: true,
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
