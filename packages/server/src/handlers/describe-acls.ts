import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { ResponseOf } from '../protocol/api-declaration.ts'
import { describeAcls } from '../protocol/apis/describe-acls.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { aclCodes, aclFilterOf } from '../security/acl-codes.ts'
import type { SecurityStore } from '../security/security-store.ts'

type Resource = ResponseOf<typeof describeAcls>['resources'][number]

/** DescribeAcls: the access rules that a filter matches, by the resources they speak of. */
export function describeAclsHandler({ acls }: SecurityStore): ApiHandler {
  return handlerOf(describeAcls, { versions: '0-3' }, (call, request) => {
    if (!call.may('describe', 'cluster', clusterResource)) {
      return refused(errorCodes.CLUSTER_AUTHORIZATION_FAILED, 'this user may not see access rules')
    }
    const filter = aclFilterOf(request)
    if (typeof filter === 'string') return refused(errorCodes.INVALID_REQUEST, filter)
    const resources = new Map<string, Resource & { readonly acls: Resource['acls'][number][] }>()
    for (const acl of acls.list(filter)) {
      const { resourceType, resourceName, patternType, ...rule } = aclCodes(acl)
      const key = `${resourceType} ${patternType} ${resourceName}`
      const resource = resources.get(key)
      if (resource !== undefined) resource.acls.push(rule)
      else resources.set(key, { resourceType, resourceName, patternType, acls: [rule] })
    }
    return { errorCode: errorCodes.NONE, resources: [...resources.values()] }
  })
}

function refused(errorCode: number, errorMessage: string): ResponseOf<typeof describeAcls> {
  return { errorCode, errorMessage, resources: [] }
}
