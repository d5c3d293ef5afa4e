import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { BackupKeyError } from '../base/backup-errors.ts'
import type { JsonShape } from '../format/json-shape.ts'

/** Something that a passphrase opens: scrypt (RFC 7914) makes of it the key of an AES-256-GCM. */
export interface PassphraseSealed {
  readonly salt: Buffer
  /** Cost: iterations, a power of two. */
  readonly n: number
  readonly r: number
  readonly p: number
  readonly nonce: Buffer
  /** The ciphertext, then the tag of 16 bytes. */
  readonly sealed: Buffer
}

/** About 128 MiB and half a second: for a secret that people can remember. */
const costs = { n: 2 ** 17, r: 8, p: 1 }
/** What hostile costs may take. */
const memoryBytesMax = 512 * 2 ** 20
const tagBytes = 16
const charactersMin = 8

export async function seal(
  secret: Buffer,
  passphrase: string,
  n: number = costs.n,
): Promise<PassphraseSealed> {
  if (passphrase.length < charactersMin) {
    throw new BackupKeyError(`the passphrase has fewer than ${charactersMin} characters`)
  }
  const [salt, nonce] = [randomBytes(32), randomBytes(12)]
  const parameters = { ...costs, n, salt }
  const cipher = createCipheriv('aes-256-gcm', await derive(passphrase, parameters), nonce)
  const sealed = Buffer.concat([cipher.update(secret), cipher.final(), cipher.getAuthTag()])
  return { ...parameters, nonce, sealed }
}

/** Null when it is not the passphrase. Rejects with BackupKeyError for costs beyond reason. */
export async function unseal(from: PassphraseSealed, passphrase: string): Promise<Buffer | null> {
  const { sealed, nonce } = from
  const tagAt = sealed.length - tagBytes
  if (tagAt < 0) return null
  const decipher = createDecipheriv('aes-256-gcm', await derive(passphrase, from), nonce)
  decipher.setAuthTag(sealed.subarray(tagAt))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, tagAt)), decipher.final()])
  } catch {
    return null
  }
}

export function encodeSealed({ salt, n, r, p, nonce, sealed }: PassphraseSealed): object {
  return {
    kdf: 'scrypt',
    n,
    r,
    p,
    salt: salt.toString('hex'),
    nonce: nonce.toString('hex'),
    sealed: sealed.toString('base64'),
  }
}

export function decodeSealed(shape: JsonShape): PassphraseSealed {
  shape.get('kdf').oneOf(['scrypt'])
  return {
    n: shape.get('n').count(2 ** 22),
    r: shape.get('r').count(64),
    p: shape.get('p').count(16),
    salt: shape.get('salt').hex(32),
    nonce: shape.get('nonce').hex(12),
    sealed: shape.get('sealed').base64(),
  }
}

type Parameters = Pick<PassphraseSealed, 'n' | 'r' | 'p' | 'salt'>

function derive(passphrase: string, { n, r, p, salt }: Parameters): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { N: n, r, p, maxmem: memoryBytesMax }
    const done = (error: Error | null, key: Buffer): void => {
      if (error === null) resolve(key)
      else reject(new BackupKeyError('its scrypt parameters cannot be used', { cause: error }))
    }
    try {
      scrypt(passphrase.normalize('NFC'), salt, 32, options, done)
    } catch (error) {
      done(error as Error, Buffer.alloc(0))
    }
  })
}
