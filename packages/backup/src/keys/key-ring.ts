import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import {
  BackupKeyError,
  CorruptRepositoryError,
  MissingObjectError,
} from '../base/backup-errors.ts'
import type { EpochKey } from '../format/object-file.ts'
import { ObjectNaming } from '../format/object-id.ts'
import type { Target } from '../target/target.ts'
import type { KeyFile } from './key-file.ts'
import { unseal } from './passphrase.ts'
import {
  decodeRecipient,
  isProven,
  type Recipient,
  recipientIdOf,
  recipientKey,
  recipientsPrefix,
  unwrapKey,
  wrapKey,
} from './recipient.ts'

/** What opens an encrypted repository. */
export type Unlocking = { readonly passphrase: string } | { readonly keyFile: KeyFile }

/** What a passphrase opens. */
export interface LockedSecret {
  /** PKCS #8, DER. */
  readonly privateKey: Buffer
  readonly idKey: Buffer
}

const idKeyBytes = 32
const epochIdBytes = 16

/** Private key, then id key: the id key is of fixed length. */
export function encodeLockedSecret({ privateKey, idKey }: LockedSecret): Buffer {
  return Buffer.concat([idKey, privateKey])
}

/** Where the key of an epoch is, encrypted to one recipient. */
export function epochFileKey(epochId: Buffer, recipientId: string): string {
  return `${epochsPrefix}${epochId.toString('hex')}/${recipientId}`
}

export const epochsPrefix = 'epochs/'

/**
 * The keys that somebody has to a repository. Objects are encrypted under the key of an epoch; that
 * key is random, lives in the memory of the process that made it, and is left in the repository
 * encrypted to every recipient. So whoever writes cannot read what was written before.
 */
export class KeyRing {
  readonly naming: ObjectNaming
  readonly #target: Target
  readonly #privateKey: KeyObject | null
  readonly #epochs = new Map<string, Buffer>()
  #current: Promise<EpochKey> | null = null

  private constructor(target: Target, idKey: Buffer | null, privateKey: KeyObject | null) {
    this.naming = new ObjectNaming(idKey)
    this.#target = target
    this.#privateKey = privateKey
  }

  /** Of a repository that is not encrypted. */
  static open(target: Target): KeyRing {
    return new KeyRing(target, null, null)
  }

  /** Rejects with BackupKeyError when it is not a key to this repository. */
  static async unlock(target: Target, repositoryId: Buffer, by: Unlocking): Promise<KeyRing> {
    if ('passphrase' in by) return KeyRing.#byPassphrase(target, by.passphrase)
    const { repositoryId: ofKey, idKey, privateKey } = by.keyFile
    if (ofKey !== null && !ofKey.equals(repositoryId)) {
      throw new BackupKeyError(`this key belongs to another repository than ${target.name}`)
    }
    if (privateKey === null) return new KeyRing(target, idKey, null)
    const recipient = await findRecipient(target, privateKey)
    const wrapped = unwrapKey(privateKey, recipient.wrappedIdKey)
    const found = idKey ?? wrapped
    if (found === null) throw new CorruptRepositoryError(recipientKey(recipient.id), 'its id key')
    return new KeyRing(target, found, privateKey)
  }

  static async #byPassphrase(target: Target, passphrase: string): Promise<KeyRing> {
    const recipients = await readRecipients(target)
    for (const { locked } of recipients) {
      const secret = locked && (await unseal(locked, passphrase))
      if (secret === null || secret.length <= idKeyBytes) continue
      const der = secret.subarray(idKeyBytes)
      const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
      return new KeyRing(target, secret.subarray(0, idKeyBytes), privateKey)
    }
    throw new BackupKeyError(`the passphrase does not open ${target.name}`)
  }

  get isEncrypted(): boolean {
    return this.naming.idKey !== null
  }

  /** Whether what others wrote can be read. */
  get canRead(): boolean {
    return !this.isEncrypted || this.#privateKey !== null
  }

  /** For key files. */
  get privateKey(): KeyObject | null {
    return this.#privateKey
  }

  /** Who can read what is written now. Rejects with BackupKeyError for one who crept in. */
  async recipients(): Promise<readonly Recipient[]> {
    const { idKey } = this.naming
    const recipients = await readRecipients(this.#target)
    if (idKey === null) return recipients
    const stranger = recipients.find((recipient) => !isProven(recipient, idKey))
    if (stranger === undefined) return recipients
    const key = recipientKey(stranger.id)
    throw new BackupKeyError(`${key} was put there by somebody without a key to the repository`, {
      hint: 'nothing is encrypted to it: find out who put it there, and remove the file',
    })
  }

  /** The key to encrypt with; null in a repository that is not encrypted. */
  async writingEpoch(): Promise<EpochKey | null> {
    if (!this.isEncrypted) return null
    this.#current ??= this.#beginEpoch().catch((error: unknown) => {
      this.#current = null
      throw error
    })
    return this.#current
  }

  async #beginEpoch(): Promise<EpochKey> {
    const epoch = { id: randomBytes(epochIdBytes), key: randomBytes(32) }
    const wrapped = new Set<string>()
    // Who lets somebody in or puts somebody out looks at epochs after that, and this one looks at
    // recipients after it is there: one of the two sees the other.
    for (let isDone = false; !isDone; ) {
      const recipients = await this.recipients()
      if (recipients.length === 0) {
        throw new BackupKeyError(`${this.#target.name} has no recipients: nobody could read it`)
      }
      const gone = [...wrapped].filter((id) => !recipients.some((each) => each.id === id))
      const missing = recipients.filter(({ id }) => !wrapped.has(id))
      isDone = gone.length + missing.length === 0
      for (const id of gone) {
        await this.#target.remove(epochFileKey(epoch.id, id))
        wrapped.delete(id)
      }
      for (const { id, publicKey } of missing) {
        await this.#target.put(epochFileKey(epoch.id, id), wrapKey(publicKey, epoch.key))
        wrapped.add(id)
      }
    }
    this.#epochs.set(epoch.id.toString('hex'), epoch.key)
    return epoch
  }

  /** Whoever can read the keys of epochs in the repository does so when they are needed next. */
  forgetEpochs(): void {
    if (this.#privateKey !== null) this.#epochs.clear()
  }

  /**
   * Rejects with BackupKeyError for one who can only write, with MissingObjectError and
   * CorruptRepositoryError when the key is not in the repository any more.
   */
  async epochKey(epochId: Buffer): Promise<Buffer> {
    const name = epochId.toString('hex')
    const known = this.#epochs.get(name)
    if (known !== undefined) return known
    const privateKey = this.#privateKey
    if (privateKey === null) {
      throw new BackupKeyError('this key can write backups, not read them', {
        hint: 'give the passphrase, or the key file of a recipient',
      })
    }
    const path = epochFileKey(epochId, recipientIdOf(createPublicKey(privateKey)))
    const wrapped = await this.#target.get(path)
    if (wrapped === null) throw new MissingObjectError(path)
    const key = unwrapKey(privateKey, wrapped)
    if (key?.length !== 32) throw new CorruptRepositoryError(path, 'it does not open')
    this.#epochs.set(name, key)
    return key
  }
}

async function findRecipient(target: Target, privateKey: KeyObject): Promise<Recipient> {
  const id = recipientIdOf(createPublicKey(privateKey))
  const bytes = await target.get(recipientKey(id))
  if (bytes !== null) return decodeRecipient(bytes, recipientKey(id))
  throw new BackupKeyError(`this key is not one of the recipients of ${target.name}`)
}

async function readRecipients(target: Target): Promise<readonly Recipient[]> {
  const recipients: Recipient[] = []
  for await (const { key } of target.list(recipientsPrefix)) {
    const bytes = await target.get(key)
    if (bytes !== null) recipients.push(decodeRecipient(bytes, key))
  }
  return recipients
}
