import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import { saslHandshake } from '../protocol/apis/sasl-handshake.ts'
import { errorCodes } from '../protocol/error-codes.ts'

/** SaslHandshake: which mechanism the client will log in by. */
export function saslHandshakeHandler(): ApiHandler {
  const options = { versions: '0-1', isForStrangers: true }
  return handlerOf(saslHandshake, options, ({ version, client }, { mechanism }) => {
    const { login } = client
    if (login === null) return { errorCode: errorCodes.ILLEGAL_SASL_STATE, mechanisms: [] }
    const answer = login.handshake(mechanism, version)
    if (answer.errorCode !== errorCodes.NONE) client.finish()
    return answer
  })
}
