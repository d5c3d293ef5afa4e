import { type KeyObject, randomBytes } from 'node:crypto'
import { systemClock } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import {
  BackupKeyError,
  MissingObjectError,
  RepositoryExistsError,
  RepositoryNotFoundError,
} from '../base/backup-errors.ts'
import { decodeObject, encodeObject, readObjectHeader } from '../format/object-file.ts'
import type { ObjectKind } from '../format/object-id.ts'
import {
  decodeRepositoryFile,
  encodeRepositoryFile,
  type RepositoryFile,
  repositoryFileKey,
} from '../format/repository-file.ts'
import { KeyRing, type Unlocking } from '../keys/key-ring.ts'
import { makePassphraseRecipient } from '../keys/passphrase-recipient.ts'
import {
  encodeRecipient,
  makeRecipient,
  recipientKey,
  recipientsPrefix,
} from '../keys/recipient.ts'
import type { PutOptions, Target } from '../target/target.ts'

export interface CreateRepositoryOptions {
  /**
   * Who can read it: a passphrase, or public RSA keys whose private halves are kept elsewhere.
   * @defaultValue not encrypted
   */
  readonly encryption?: {
    readonly passphrase?: string
    readonly publicKeys?: readonly KeyObject[]
    /** Cost of the passphrase: scrypt's N. @defaultValue 131072 */
    readonly scryptN?: number
    /** Of the key pair that the passphrase locks. @defaultValue 4096 */
    readonly rsaBits?: number
  }
  /** Segments are cut into objects of about so many bytes. @defaultValue 8388608 */
  readonly objectBytes?: number
  /** @defaultValue now */
  readonly nowMs?: number
}

/** No content is larger: a batch has at most 2^31 - 1 bytes and is not cut. */
const contentBytesMax = 2 ** 31 - 1

/** Where the file of an object is. */
export function objectKey(set: string, id: Buffer | string): string {
  const hex = typeof id === 'string' ? id : id.toString('hex')
  return `${objectsPrefix}${set}/${hex.slice(0, 2)}/${hex}`
}

export const objectsPrefix = 'objects/'

/**
 * A backup repository: files that never change, named by what they hold. Any number of processes
 * may read it and add to it at once; tidying up has a lock of its own.
 */
export class Repository implements AsyncDisposable {
  readonly target: Target
  readonly file: RepositoryFile
  readonly keys: KeyRing

  private constructor(target: Target, file: RepositoryFile, keys: KeyRing) {
    this.target = target
    this.file = file
    this.keys = keys
  }

  /**
   * Makes a repository. Rejects with RepositoryExistsError, BackupKeyError, InvalidArgumentError,
   * TargetError.
   */
  static async create(target: Target, options: CreateRepositoryOptions = {}): Promise<Repository> {
    const { encryption, objectBytes = 8 * 2 ** 20, nowMs = systemClock.now() } = options
    if (!(Number.isSafeInteger(objectBytes) && objectBytes >= 1024 && objectBytes <= 2 ** 30)) {
      throw new InvalidArgumentError('objectBytes', objectBytes, 'must be 1 KiB to 1 GiB')
    }
    if ((await target.get(repositoryFileKey)) !== null) throw new RepositoryExistsError(target.name)
    const isEncrypted = encryption !== undefined
    const repositoryId = randomBytes(16)
    const keys = isEncrypted
      ? await makeKeys(target, repositoryId, encryption, nowMs)
      : KeyRing.open(target)
    const file = { repositoryId, createdMs: nowMs, objectBytes, isEncrypted }
    // Last: with it the repository is there.
    const isMade = await target.put(repositoryFileKey, encodeRepositoryFile(file))
    if (!isMade) throw new RepositoryExistsError(target.name)
    return new Repository(target, file, keys)
  }

  /**
   * Opens a repository. Rejects with RepositoryNotFoundError, BackupKeyError when it is encrypted
   * and `unlocking` is missing or wrong, or when a key is given and it is not encrypted.
   */
  static async open(target: Target, unlocking: Unlocking | null = null): Promise<Repository> {
    const bytes = await target.get(repositoryFileKey)
    if (bytes === null) throw new RepositoryNotFoundError(target.name, 'there is no such file')
    const file = decodeRepositoryFile(bytes)
    if (!file.isEncrypted) {
      if (unlocking === null) return new Repository(target, file, KeyRing.open(target))
      throw new BackupKeyError(`${target.name} is not encrypted, and a key was given`, {
        hint: 'if it should be encrypted, it is not the repository that you think it is',
      })
    }
    if (unlocking === null) {
      throw new BackupKeyError(`${target.name} is encrypted`, {
        hint: 'give a passphrase (--passphrase-file) or a key file (--key)',
      })
    }
    const keys = await KeyRing.unlock(target, file.repositoryId, unlocking)
    return new Repository(target, file, keys)
  }

  /**
   * Stores an object, unless it is there. Resolves to the bytes that were stored, 0 when it was.
   *
   * @param modeFor says of its key whether it is stored again where it is there
   */
  async putObject(
    kind: ObjectKind,
    set: string,
    content: Buffer,
    modeFor: (key: string) => 'new' | 'replace' = () => 'new',
  ): Promise<{ readonly id: Buffer; readonly storedBytes: number }> {
    const id = this.keys.naming.idOf(kind, content)
    const key = objectKey(set, id)
    const bytes = await this.encode(kind, content, id)
    const isNew = await this.putObjectFile(key, bytes, { mode: modeFor(key) })
    return { id, storedBytes: isNew ? bytes.length : 0 }
  }

  /**
   * Stores the file of an object, unless it is there and as long as it should be. Tells whether it
   * was stored.
   */
  async putObjectFile(key: string, bytes: Uint8Array, options: PutOptions): Promise<boolean> {
    const there = await this.target.stat(key)
    const isWhole = there?.sizeBytes === bytes.length
    // One that is cut off is of no use to anybody.
    const mode = there !== null && !isWhole ? 'replace' : (options.mode ?? 'new')
    // Where what is visible may not be durable, putting it again makes sure.
    if (isWhole && mode === 'new' && this.target.settle === undefined) return false
    return this.target.put(key, bytes, { ...options, mode })
  }

  /** The content of an object. Rejects with MissingObjectError, CorruptRepositoryError, … */
  async getObject(kind: ObjectKind, set: string, id: Buffer): Promise<Buffer> {
    const key = objectKey(set, id)
    const bytes = await this.target.get(key)
    if (bytes === null) throw new MissingObjectError(key)
    return this.decode(kind, key, bytes, id)
  }

  async encode(kind: ObjectKind, content: Buffer, id: Buffer): Promise<Buffer> {
    return encodeObject(content, this.keys.naming, {
      kind,
      id,
      compresses: true,
      epoch: await this.keys.writingEpoch(),
      repositoryId: this.file.repositoryId,
    })
  }

  /** The content of an object's file, proven. `id` null: whatever object it is. */
  async decode(kind: ObjectKind, key: string, bytes: Buffer, id: Buffer | null): Promise<Buffer> {
    const { epochId } = readObjectHeader(bytes, key)
    const epochKey = epochId && this.keys.isEncrypted ? await this.keys.epochKey(epochId) : null
    return decodeObject(bytes, this.keys.naming, {
      kind,
      id,
      epochKey,
      repositoryId: this.file.repositoryId,
      contentBytesMax,
      key,
    })
  }

  /** Stores one of the repository's other files. */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<boolean> {
    return this.target.put(key, bytes, options)
  }

  async close(): Promise<void> {
    await this.target.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

async function makeKeys(
  target: Target,
  repositoryId: Buffer,
  {
    passphrase,
    publicKeys = [],
    scryptN,
    rsaBits,
  }: NonNullable<CreateRepositoryOptions['encryption']>,
  nowMs: number,
): Promise<KeyRing> {
  // Of a repository that was not made to the end: nothing was encrypted to them.
  for await (const { key } of target.list(recipientsPrefix)) await target.remove(key)
  const idKey = randomBytes(32)
  const recipients = publicKeys.map((key) => makeRecipient(key, idKey, null, nowMs))
  if (passphrase !== undefined) {
    recipients.push(await makePassphraseRecipient(idKey, passphrase, nowMs, { scryptN, rsaBits }))
  }
  if (recipients.length === 0) {
    throw new BackupKeyError('encryption needs a passphrase or a public key')
  }
  for (const recipient of recipients) {
    await target.put(recipientKey(recipient.id), encodeRecipient(recipient))
  }
  // Whoever makes it can write; to read, a key is needed as always.
  const keyFile = { role: 'writer' as const, repositoryId, idKey, privateKey: null }
  return KeyRing.unlock(target, repositoryId, { keyFile })
}
