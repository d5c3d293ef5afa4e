import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { Decoded } from '../src/protocol/api-declaration.ts'
import { saslAuthenticate } from '../src/protocol/apis/sasl-authenticate.ts'
import { saslHandshake } from '../src/protocol/apis/sasl-handshake.ts'
import type { WireClient } from './wire-client.ts'

export type TokenResponse = Decoded<(typeof saslAuthenticate)['response']>

/** Logs in by PLAIN, and returns the last answer. */
export async function logInPlainly(
  client: WireClient,
  user: string,
  password: string,
  { version = 2, actsFor = '' } = {},
): Promise<TokenResponse> {
  await client.call(saslHandshake, 1, { mechanism: 'PLAIN' })
  const authBytes = Buffer.from(`${actsFor}\0${user}\0${password}`, 'utf8')
  return client.call(saslAuthenticate, version, { authBytes })
}

/** A client's side of SCRAM, written down a second time from RFC 5802. */
export class ScramClient {
  readonly first: Buffer
  readonly #hash: 'sha256' | 'sha512'
  readonly #password: string
  readonly #bare: string
  #serverSignature = ''

  constructor(
    mechanism: string,
    user: string,
    password: string,
    nonce = 'fyko+d2lbbFgONRv9qkxdawL',
  ) {
    this.#hash = mechanism === 'SCRAM-SHA-512' ? 'sha512' : 'sha256'
    this.#password = password
    const written = user.replaceAll('=', '=3D').replaceAll(',', '=2C')
    this.#bare = `n=${written},r=${nonce}`
    this.first = Buffer.from(`n,,${this.#bare}`, 'utf8')
  }

  final(challenge: Buffer, { repeatsNonce = false } = {}): Buffer {
    const text = challenge.toString('utf8')
    const [, nonce = '', salt = '', iterations = ''] = /^r=(.+),s=(.+),i=(\d+)$/.exec(text) ?? []
    const own = repeatsNonce ? (/r=(.*)/.exec(this.#bare)?.[1] ?? '') : ''
    const withoutProof = `c=biws,r=${own}${nonce}`
    const bytes = this.#hash === 'sha256' ? 32 : 64
    const [saltBytes, rounds] = [Buffer.from(salt, 'base64'), Number(iterations)]
    const salted = pbkdf2Sync(this.#password, saltBytes, rounds, bytes, this.#hash)
    const clientKey = this.#hmac(salted, 'Client Key')
    const storedKey = createHash(this.#hash).update(clientKey).digest()
    const messages = `${this.#bare},${text},${withoutProof}`
    const signature = this.#hmac(storedKey, messages)
    const proof = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0)))
    this.#serverSignature = this.#hmac(this.#hmac(salted, 'Server Key'), messages).toString(
      'base64',
    )
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`, 'utf8')
  }

  /** Whether the server knows the password too. */
  believes(last: Buffer): boolean {
    return last.toString('utf8') === `v=${this.#serverSignature}`
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text).digest()
  }
}

/** Logs in by SCRAM, and returns the last answer. */
export async function logInByScram(
  client: WireClient,
  mechanism: string,
  user: string,
  password: string,
): Promise<TokenResponse> {
  await client.call(saslHandshake, 1, { mechanism })
  const scram = new ScramClient(mechanism, user, password)
  const challenge = await client.call(saslAuthenticate, 2, { authBytes: scram.first })
  if (challenge.errorCode !== 0) return challenge
  return client.call(saslAuthenticate, 2, { authBytes: scram.final(challenge.authBytes) })
}
