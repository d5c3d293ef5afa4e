import { duplicatesIn } from '../administration/refusals.ts'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import { describeUserScramCredentials } from '../protocol/apis/describe-user-scram-credentials.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { mechanismCode } from '../security/scram-credential.ts'
import type { SecurityStore } from '../security/security-store.ts'

/** DescribeUserScramCredentials: by which mechanisms users can log in. */
export function describeUserScramCredentialsHandler({ users }: SecurityStore): ApiHandler {
  return handlerOf(describeUserScramCredentials, { versions: '0' }, async (call, request) => {
    if (!call.may('describe', 'cluster', clusterResource)) {
      const errorMessage = 'this user may not see users'
      return { errorCode: errorCodes.CLUSTER_AUTHORIZATION_FAILED, errorMessage, results: [] }
    }
    const asked = request.users?.map(({ name }) => name) ?? []
    const names = asked.length === 0 ? [...users.all.keys()] : [...new Set(asked)]
    const twice = duplicatesIn(asked)
    const results = await call.turns.map(names, (user) => {
      const isTwice = twice.has(user)
      const credentials = users.all.get(user)
      if (isTwice || credentials === undefined) {
        const errorCode = isTwice ? errorCodes.DUPLICATE_RESOURCE : errorCodes.RESOURCE_NOT_FOUND
        const errorMessage = isTwice ? 'the user is named twice' : 'there is no such user'
        return { user, errorCode, errorMessage, credentialInfos: [] }
      }
      const credentialInfos = [...credentials].map(([mechanism, { iterations }]) => {
        return { mechanism: mechanismCode(mechanism), iterations }
      })
      return { user, errorCode: errorCodes.NONE, credentialInfos }
    })
    return { errorCode: errorCodes.NONE, results }
  })
}
