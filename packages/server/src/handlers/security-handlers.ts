import type { ApiHandler } from '../base/api-handler.ts'
import type { SecurityStore } from '../security/security-store.ts'
import { alterUserScramCredentialsHandler } from './alter-user-scram-credentials.ts'
import { createAclsHandler } from './create-acls.ts'
import { deleteAclsHandler } from './delete-acls.ts'
import { describeAclsHandler } from './describe-acls.ts'
import { describeUserScramCredentialsHandler } from './describe-user-scram-credentials.ts'
import { saslAuthenticateHandler } from './sasl-authenticate.ts'
import { saslHandshakeHandler } from './sasl-handshake.ts'

/** Logins, users and access rules. */
export function securityHandlers(security: SecurityStore): readonly ApiHandler[] {
  return [
    saslHandshakeHandler(),
    saslAuthenticateHandler(),
    describeAclsHandler(security),
    createAclsHandler(security),
    deleteAclsHandler(security),
    describeUserScramCredentialsHandler(security),
    alterUserScramCredentialsHandler(security),
  ]
}
