import {
  constants,
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  timingSafeEqual,
} from 'node:crypto'
import { BackupKeyError, CorruptRepositoryError } from '../base/backup-errors.ts'
import { encodeCheckedJson, JsonShape } from '../format/json-shape.ts'
import { decodeSealed, encodeSealed, type PassphraseSealed } from './passphrase.ts'

/**
 * Somebody who can read the repository: an RSA key pair, whose private half is kept elsewhere or,
 * locked by a passphrase, in the repository itself. In the file `keys/<id>.json`.
 */
export interface Recipient {
  /** The first 16 bytes of the SHA-256 of the public key (SPKI, DER), in hex. */
  readonly id: string
  readonly publicKey: KeyObject
  readonly createdMs: number
  /** What a passphrase opens: private key and id key. Null where the private key is elsewhere. */
  readonly locked: PassphraseSealed | null
  /** The id key, encrypted to the public key. */
  readonly wrappedIdKey: Buffer
  /** Proves that somebody who has the id key let this recipient in. */
  readonly proof: Buffer
}

export const recipientsPrefix = 'keys/'

export function recipientKey(id: string): string {
  return `${recipientsPrefix}${id}.json`
}

/** Throws BackupKeyError for what is no RSA key of 2,048 bits or more. */
export function makeRecipient(
  publicKey: KeyObject,
  idKey: Buffer,
  locked: PassphraseSealed | null,
  nowMs: number,
): Recipient {
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0
  if (publicKey.asymmetricKeyType !== 'rsa' || bits < 2048) {
    throw new BackupKeyError('a recipient needs an RSA key of at least 2048 bits', {
      hint: 'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out private.pem',
    })
  }
  return {
    id: recipientIdOf(publicKey),
    publicKey,
    createdMs: nowMs,
    locked,
    wrappedIdKey: wrapKey(publicKey, idKey),
    proof: proofOf(publicKey, idKey),
  }
}

export function recipientIdOf(publicKey: KeyObject): string {
  return createHash('sha256').update(derOf(publicKey)).digest('hex').slice(0, 32)
}

/** Whether somebody with the id key let it in. */
export function isProven(recipient: Recipient, idKey: Buffer): boolean {
  const proof = proofOf(recipient.publicKey, idKey)
  return recipient.proof.length === proof.length && timingSafeEqual(recipient.proof, proof)
}

export function wrapKey(publicKey: KeyObject, key: Buffer): Buffer {
  return publicEncrypt(oaep(publicKey), key)
}

/** Null when it was not wrapped for this key. */
export function unwrapKey(privateKey: KeyObject, wrapped: Buffer): Buffer | null {
  try {
    return privateDecrypt(oaep(privateKey), wrapped)
  } catch {
    return null
  }
}

export function encodeRecipient(recipient: Recipient): Buffer {
  const { id, createdMs, publicKey, locked, wrappedIdKey, proof } = recipient
  return encodeCheckedJson({
    id,
    createdMs,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }),
    wrappedIdKey: wrappedIdKey.toString('base64'),
    proof: proof.toString('hex'),
    locked: locked && encodeSealed(locked),
  })
}

/** Throws CorruptRepositoryError. */
export function decodeRecipient(bytes: Buffer, key: string): Recipient {
  const shape = JsonShape.parseChecked(bytes, key)
  const recipient = {
    id: shape.get('id').text(/^[0-9a-f]{32}$/),
    publicKey: publicKeyOf(shape.get('publicKey').text(), key),
    createdMs: shape.get('createdMs').number(),
    locked: shape.get('locked').optional(decodeSealed),
    wrappedIdKey: shape.get('wrappedIdKey').base64(),
    proof: shape.get('proof').hex(32),
  }
  if (recipientIdOf(recipient.publicKey) === recipient.id) return recipient
  throw new CorruptRepositoryError(key, 'its id is not that of its key')
}

function publicKeyOf(pem: string, key: string): KeyObject {
  try {
    return createPublicKey(pem)
  } catch (error) {
    throw new CorruptRepositoryError(key, 'it has no public key', { cause: error })
  }
}

function oaep(key: KeyObject) {
  return { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
}

function proofOf(publicKey: KeyObject, idKey: Buffer): Buffer {
  return createHmac('sha256', idKey).update('varve recipient').update(derOf(publicKey)).digest()
}

function derOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' })
}
