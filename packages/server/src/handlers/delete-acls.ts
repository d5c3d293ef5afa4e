import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import { type KafkaError, toldError } from '../base/kafka-error.ts'
import { deleteAcls } from '../protocol/apis/delete-acls.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import type { Acl, AclFilter } from '../security/acl.ts'
import { aclCodes, aclFilterOf } from '../security/acl-codes.ts'
import type { SecurityStore } from '../security/security-store.ts'

/** DeleteAcls: removes the access rules that each of several filters matches. */
export function deleteAclsHandler({ acls }: SecurityStore): ApiHandler {
  return handlerOf(deleteAcls, { versions: '0-3' }, async (call, request) => {
    if (!call.may('alter', 'cluster', clusterResource)) {
      const errorCode = errorCodes.CLUSTER_AUTHORIZATION_FAILED
      const refused = failed({ errorCode, errorMessage: 'this user may not change access rules' })
      return { filterResults: request.filters.map(() => refused) }
    }
    const filters = request.filters.map(aclFilterOf)
    const usable = filters.filter((filter): filter is AclFilter => typeof filter !== 'string')
    let removed: readonly (readonly Acl[])[] = []
    let failure: KafkaError | null = null
    try {
      removed = usable.length === 0 ? [] : await acls.remove(usable)
    } catch (error) {
      failure = toldError(error)
    }
    const filterResults = filters.map((filter) => {
      if (typeof filter === 'string') {
        return failed({ errorCode: errorCodes.INVALID_REQUEST, errorMessage: filter })
      }
      if (failure !== null) return failed(failure)
      return matched(removed[usable.indexOf(filter)] ?? [])
    })
    return { filterResults }
  })
}

function failed(error: KafkaError) {
  return { ...error, matchingAcls: [] }
}

function matched(acls: readonly Acl[]) {
  const matchingAcls = acls.map((acl) => ({ errorCode: errorCodes.NONE, ...aclCodes(acl) }))
  return { errorCode: errorCodes.NONE, matchingAcls }
}
