import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import { saslAuthenticate } from '../protocol/apis/sasl-authenticate.ts'
import { errorCodes } from '../protocol/error-codes.ts'

const nothing = Buffer.alloc(0)

/** SaslAuthenticate: a token of a login. A client that fails is told so, and then closed. */
export function saslAuthenticateHandler(): ApiHandler {
  const options = { versions: '0-2', isForStrangers: true }
  return handlerOf(saslAuthenticate, options, async ({ client }, { authBytes }) => {
    const { login } = client
    if (login === null) {
      const errorMessage = `clients do not log in at listener ${client.listenerName}`
      return { errorCode: errorCodes.ILLEGAL_SASL_STATE, errorMessage, authBytes: nothing }
    }
    const answer = await login.authenticate(authBytes)
    if (answer.isAccepted) {
      const { bytes, sessionLifetimeMs } = answer
      return { errorCode: errorCodes.NONE, authBytes: bytes, sessionLifetimeMs }
    }
    client.finish()
    const { errorCode, errorMessage } = answer
    return { errorCode, errorMessage, authBytes: nothing }
  })
}
