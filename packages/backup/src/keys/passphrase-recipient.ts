import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { encodeLockedSecret } from './key-ring.ts'
import { seal } from './passphrase.ts'
import { makeRecipient, type Recipient } from './recipient.ts'

/** What it costs to make one, and to try a passphrase. */
export interface PassphraseCosts {
  /** scrypt's N. @defaultValue 131072 */
  readonly scryptN?: number | undefined
  /** Of the key pair that the passphrase locks. @defaultValue 4096 */
  readonly rsaBits?: number | undefined
}

/** A recipient whose private key lies in the repository, locked by a passphrase. */
export async function makePassphraseRecipient(
  idKey: Buffer,
  passphrase: string,
  nowMs: number,
  { scryptN, rsaBits = 4096 }: PassphraseCosts = {},
): Promise<Recipient> {
  const privateKey = await newPrivateKey(rsaBits)
  const der = privateKey.export({ type: 'pkcs8', format: 'der' })
  const locked = await seal(encodeLockedSecret({ privateKey: der, idKey }), passphrase, scryptN)
  return makeRecipient(createPublicKey(privateKey), idKey, locked, nowMs)
}

function newPrivateKey(modulusLength: number): Promise<KeyObject> {
  return new Promise((resolve, reject) => {
    generateKeyPair('rsa', { modulusLength }, (error, _, privateKey) => {
      if (error === null) resolve(privateKey)
      else reject(error)
    })
  })
}
