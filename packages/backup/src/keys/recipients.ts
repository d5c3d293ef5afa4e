import type { KeyObject } from 'node:crypto'
import { systemClock } from '@varve/log'
import { BackupKeyError, MissingObjectError } from '../base/backup-errors.ts'
import type { Target } from '../target/target.ts'
import { epochFileKey, epochsPrefix, type KeyRing } from './key-ring.ts'
import { makePassphraseRecipient, type PassphraseCosts } from './passphrase-recipient.ts'
import {
  encodeRecipient,
  makeRecipient,
  type Recipient,
  recipientKey,
  wrapKey,
} from './recipient.ts'

/** Of a repository that is encrypted, opened with a key that reads. */
export interface KeyedRepository {
  readonly target: Target
  readonly keys: KeyRing
}

/** Who is to be able to read. */
export type NewRecipient =
  | { readonly publicKey: KeyObject }
  | ({ readonly passphrase: string } & PassphraseCosts)

export interface RecipientChange {
  /** Of the recipient. */
  readonly id: string
  /** Keys of stretches of time that were encrypted to somebody who had not had them. */
  readonly wrappedEpochs: number
  /** Ids of those that this key does not open: what lies under them stays closed to the others. */
  readonly closedEpochs: readonly string[]
}

/**
 * Lets somebody read the repository, all that is in it and all that comes; no data is written anew.
 * A run that was cut short is completed by the next one.
 *
 * Rejects with BackupKeyError for a repository that is not encrypted, for a key that only writes,
 * and for a public key that is not RSA of 2,048 bits or more.
 */
export async function addRecipient(
  { target, keys }: KeyedRepository,
  who: NewRecipient,
  nowMs: number = systemClock.now(),
): Promise<RecipientChange> {
  const idKey = idKeyOf(keys)
  const recipient =
    'publicKey' in who
      ? makeRecipient(who.publicKey, idKey, null, nowMs)
      : await makePassphraseRecipient(idKey, who.passphrase, nowMs, who)
  // First: from now on whoever writes encrypts to it.
  await target.put(recipientKey(recipient.id), encodeRecipient(recipient))
  const { id } = recipient
  return { id, ...(await completeWraps(target, keys, await keys.recipients())) }
}

/**
 * Ends that a recipient can open the repository. What it has read it knows; whoever must not read
 * what is stored from now on must be put out before the next backup begins. Its key file still
 * writes: see `export-writer`.
 *
 * Rejects with BackupKeyError when there is no such recipient, when it is the last one, and for a
 * key that only writes.
 */
export async function removeRecipient(
  { target, keys }: KeyedRepository,
  id: string,
): Promise<RecipientChange> {
  idKeyOf(keys)
  const recipients = await keys.recipients()
  const recipient = recipients.find((each) => each.id === id)
  if (recipient === undefined) {
    // A run that was cut short between the record and the keys is completed.
    if (await removeWraps(target, id)) return { id, wrappedEpochs: 0, closedEpochs: [] }
    throw new BackupKeyError(`${target.name} has no recipient ${id}`)
  }
  const others = recipients.filter((each) => each !== recipient)
  if (others.length === 0) {
    throw new BackupKeyError(`${id} is the last recipient: nobody could read ${target.name}`)
  }
  // First: whatever this one can open the others can.
  const change = await completeWraps(target, keys, others)
  await target.remove(recipientKey(id))
  if ((await keys.recipients()).length === 0) {
    // Somebody put the others out at the same moment.
    await target.put(recipientKey(id), encodeRecipient(recipient))
    throw new BackupKeyError(`${id} is the last recipient: nobody could read ${target.name}`)
  }
  await removeWraps(target, id)
  return { id, ...change }
}

function idKeyOf(keys: KeyRing): Buffer {
  const { idKey } = keys.naming
  if (idKey === null) throw new BackupKeyError('the repository is not encrypted: it has no keys')
  if (keys.canRead) return idKey
  throw new BackupKeyError('this key can write backups, not let anybody read them', {
    hint: 'give the passphrase, or the key file of a recipient',
  })
}

/** Until nobody lacks any: others may begin stretches of time meanwhile. */
async function completeWraps(
  target: Target,
  keys: KeyRing,
  recipients: readonly Recipient[],
): Promise<Pick<RecipientChange, 'wrappedEpochs' | 'closedEpochs'>> {
  const closed = new Set<string>()
  let wrappedEpochs = 0
  for (let isDone = false; !isDone; ) {
    isDone = true
    for (const [name, present] of await readEpochs(target)) {
      const lacking = recipients.filter(({ id }) => !present.has(id))
      if (lacking.length === 0 || closed.has(name)) continue
      const epochId = Buffer.from(name, 'hex')
      const key = await epochKeyOf(keys, epochId)
      if (key === null) {
        closed.add(name)
        continue
      }
      for (const { id, publicKey } of lacking) {
        await target.put(epochFileKey(epochId, id), wrapKey(publicKey, key))
        wrappedEpochs++
      }
      isDone = false
    }
  }
  return { wrappedEpochs, closedEpochs: [...closed] }
}

/** Null for one that was not encrypted to this key: its maker was cut short, or a file is lost. */
async function epochKeyOf(keys: KeyRing, epochId: Buffer): Promise<Buffer | null> {
  try {
    return await keys.epochKey(epochId)
  } catch (error) {
    if (error instanceof MissingObjectError) return null
    throw error
  }
}

const epochPattern = /^epochs\/([0-9a-f]{32})\/([0-9a-f]{32})$/

/** Ids of recipients by the id of the epoch. */
async function readEpochs(target: Target): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const epochs = new Map<string, Set<string>>()
  for await (const { key } of target.list(epochsPrefix)) {
    const [, epochId, recipientId] = epochPattern.exec(key) ?? []
    if (epochId === undefined || recipientId === undefined) continue
    epochs.set(epochId, (epochs.get(epochId) ?? new Set()).add(recipientId))
  }
  return epochs
}

async function removeWraps(target: Target, id: string): Promise<boolean> {
  let isAny = false
  for (const [epochId, recipients] of await readEpochs(target)) {
    if (!recipients.has(id)) continue
    await target.remove(epochFileKey(Buffer.from(epochId, 'hex'), id))
    isAny = true
  }
  return isAny
}
