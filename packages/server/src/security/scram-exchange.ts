import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { ExchangeStep, SaslExchange } from './sasl-exchange.ts'
import { hash, hmac, type ScramCredential, type ScramMechanism } from './scram-credential.ts'
import type { Users } from './users.ts'

/** What the first two messages have said. */
interface Begun {
  readonly user: string
  readonly credential: ScramCredential
  readonly isKnown: boolean
  readonly nonce: string
  /** The client's first part, which it repeats, in base64. */
  readonly binding: string
  readonly firstMessages: string
}

const nonceBytes = 24
const failed: ExchangeStep = { is: 'failed' }

/**
 * SCRAM (RFC 5802, 7677): the client proves that it knows the password and does not tell it.
 * Without channel binding and, as in Kafka, without SASLprep. A user that is not there goes
 * through the same as one that gives a wrong password.
 */
export class ScramExchange implements SaslExchange {
  readonly #mechanism: ScramMechanism
  readonly #users: Users
  #begun: Begun | null = null

  constructor(mechanism: ScramMechanism, users: Users) {
    this.#mechanism = mechanism
    this.#users = users
  }

  claimedUser(): string | null {
    return this.#begun?.user ?? null
  }

  async next(token: Buffer): Promise<ExchangeStep> {
    const text = token.toString('utf8')
    return this.#begun === null ? this.#first(text) : this.#final(text, this.#begun)
  }

  /** `n,,n=user,r=nonce` */
  #first(text: string): ExchangeStep {
    const pattern = /^([ny],(?:a=([^,]+))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/su
    const match = pattern.exec(text)
    if (match === null) return failed
    const [, head = '', actsFor, bare = '', written = '', clientNonce = ''] = match
    const user = unescapeName(written)
    if (user === null || (actsFor !== undefined && unescapeName(actsFor) !== user)) {
      return failed
    }
    const found = this.#users.find(user, this.#mechanism)
    const credential = found ?? this.#users.pretended(user, this.#mechanism)
    const nonce = clientNonce + randomBytes(nonceBytes).toString('base64url')
    const { salt, iterations } = credential
    const answer = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`
    this.#begun = {
      ...{ user, credential, isKnown: found !== null, nonce },
      binding: Buffer.from(head, 'utf8').toString('base64'),
      firstMessages: `${bare},${answer}`,
    }
    return { is: 'going-on', bytes: Buffer.from(answer, 'utf8') }
  }

  /** `c=biws,r=nonce,p=proof` */
  #final(text: string, begun: Begun): ExchangeStep {
    const { user, nonce, binding, credential, isKnown, firstMessages } = begun
    const match = /^(c=([^,]+),r=([^,]+)(?:,[^p,][^,]*)*),p=([A-Za-z0-9+/=]+)$/su.exec(text)
    if (match === null) return failed
    const [, withoutProof = '', saidBinding, saidNonce, proofText = ''] = match
    const proof = Buffer.from(proofText, 'base64')
    const { storedKey, serverKey } = credential
    // librdkafka 2.0 puts its own nonce in front once more; Kafka takes it, and it proves as much.
    const isNonce = saidNonce?.endsWith(nonce) === true
    if (saidBinding !== binding || !isNonce) return failed
    if (proof.length !== storedKey.length) return failed
    const messages = `${firstMessages},${withoutProof}`
    const signature = hmac(this.#mechanism, storedKey, messages)
    const clientKey = Buffer.from(proof.map((byte, index) => byte ^ (signature[index] as number)))
    const isProof = timingSafeEqual(hash(this.#mechanism, clientKey), storedKey)
    if (!isProof || !isKnown) return failed
    const verifier = hmac(this.#mechanism, serverKey, messages).toString('base64')
    return { is: 'done', bytes: Buffer.from(`v=${verifier}`, 'utf8'), user }
  }
}

/** Names write `=` and `,` as `=3D` and `=2C`; null for any other `=`. */
function unescapeName(written: string): string | null {
  if (/=(?!2C|3D)/.test(written)) return null
  return written.replace(/=2C/g, ',').replace(/=3D/g, '=')
}
