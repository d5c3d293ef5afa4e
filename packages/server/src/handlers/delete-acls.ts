import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import { type KafkaError, toldError } from '../base/kafka-error.ts'
import { deleteAcls } from '../protocol/apis/delete-acls.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import type { Acl } from '../security/acl.ts'
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
    let told = 0
    const found = await call.turns.map(request.filters, (asked) => {
      const filter = aclFilterOf(asked)
      if (typeof filter === 'string') return filter
      // Each filter is told what it matches, also what another has matched.
      const matching = told <= toldMax ? acls.list(filter) : []
      told += matching.length
      return matching
    })
    const isTooMuch = told > toldMax
    const failure = isTooMuch ? tooMuch : await remove(acls, found)
    const filterResults = found.map((matching) => {
      if (typeof matching === 'string') {
        return failed({ errorCode: errorCodes.INVALID_REQUEST, errorMessage: matching })
      }
      return failure === null ? matched(matching) : failed(failure)
    })
    return { filterResults }
  })
}

/** So many rules are told of at most: as many as there can be, if no two filters match the same. */
const toldMax = 50_000

const tooMuch: KafkaError = {
  errorCode: errorCodes.INVALID_REQUEST,
  errorMessage: 'the filters match the same rules too often',
}

async function remove(
  acls: SecurityStore['acls'],
  found: readonly (readonly Acl[] | string)[],
): Promise<KafkaError | null> {
  const matching = new Set(found.flatMap((each) => (typeof each === 'string' ? [] : each)))
  try {
    if (matching.size > 0) await acls.removeAll(matching)
    return null
  } catch (error) {
    return toldError(error)
  }
}

function failed(error: KafkaError) {
  return { ...error, matchingAcls: [] }
}

function matched(acls: readonly Acl[]) {
  const matchingAcls = acls.map((acl) => ({ errorCode: errorCodes.NONE, ...aclCodes(acl) }))
  return { errorCode: errorCodes.NONE, matchingAcls }
}
