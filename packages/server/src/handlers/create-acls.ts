import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import { type KafkaError, toldError } from '../base/kafka-error.ts'
import { createAcls } from '../protocol/apis/create-acls.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { aclOf } from '../security/acl-codes.ts'
import type { SecurityStore } from '../security/security-store.ts'

const none: KafkaError | null = null

/** CreateAcls: adds access rules; those that cannot be understood spoil no others. */
export function createAclsHandler({ acls }: SecurityStore): ApiHandler {
  return handlerOf(createAcls, { versions: '0-3' }, async (call, { creations }) => {
    if (!call.may('alter', 'cluster', clusterResource)) {
      const errorCode = errorCodes.CLUSTER_AUTHORIZATION_FAILED
      const errorMessage = 'this user may not change access rules'
      return { results: creations.map(() => ({ errorCode, errorMessage })) }
    }
    const read = await call.turns.map(creations, ({ resourcePatternType, ...creation }) => {
      return aclOf({ ...creation, patternType: resourcePatternType })
    })
    const failure = await acls
      .add(read.filter((acl) => typeof acl !== 'string'))
      .then(() => none, toldError)
    const results = read.map((acl) => {
      if (typeof acl === 'string') {
        return { errorCode: errorCodes.INVALID_REQUEST, errorMessage: acl }
      }
      return failure ?? { errorCode: errorCodes.NONE }
    })
    return { results }
  })
}
