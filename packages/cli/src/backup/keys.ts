import { createPublicKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import {
  addRecipient,
  encodeKeyFile,
  type KeyFile,
  type RecipientChange,
  type Repository,
  removeRecipient,
} from '@varve/backup'
import { isSystemError } from '@varve/log/files'
import { InvalidArgumentError } from '@varve/record'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount, formatTimestamp } from '../human.ts'
import { LineOutput } from '../output.ts'
import {
  openRepository,
  type RepositoryAccess,
  readPassphrase,
  readSecret,
} from './repository-access.ts'

export interface BackupKeysOptions extends RepositoryAccess {
  readonly json: boolean
}

/** Prints who can read the repository. */
export async function listKeys(options: BackupKeysOptions, io: CommandIo): Promise<number> {
  await using repository = await openRepository(options)
  const lines = new LineOutput(io.stdout)
  for (const { id, createdMs, locked } of await repository.keys.recipients()) {
    const kind = locked === null ? 'public key' : 'passphrase'
    if (options.json) lines.json({ id, kind, createdMs })
    else lines.line(`${id}  ${kind}, since ${formatTimestamp(createdMs)}`)
  }
  await lines.flush()
  return exitCodes.fine
}

export interface AddKeyOptions extends BackupKeysOptions {
  /** A public RSA key in PEM. */
  readonly recipient?: string | undefined
  /** A file with another passphrase. */
  readonly newPassphraseFile?: string | undefined
}

/** Lets somebody else read it, all that is there and all that comes. */
export async function addKey(options: AddKeyOptions, io: CommandIo): Promise<number> {
  const { recipient, newPassphraseFile, json } = options
  if ((recipient === undefined) === (newPassphraseFile === undefined)) {
    throw new InvalidArgumentError('recipient', recipient, 'or --new-passphrase-file, one of both')
  }
  await using repository = await openRepository(options)
  const who =
    recipient === undefined
      ? { passphrase: readPassphrase(newPassphraseFile ?? '') }
      : { publicKey: createPublicKey(readSecret('recipient', recipient)) }
  const change = await addRecipient(repository, who, io.clock.now())
  await say(change, 'can read the repository now', json, io)
  return change.closedEpochs.length === 0 ? exitCodes.fine : exitCodes.findings
}

/** Ends that somebody can open it. */
export async function removeKey(
  options: BackupKeysOptions & { readonly id: string },
  io: CommandIo,
): Promise<number> {
  await using repository = await openRepository(options)
  const change = await removeRecipient(repository, options.id)
  await say(change, 'cannot open the repository any more', options.json, io)
  return exitCodes.fine
}

async function say(
  change: RecipientChange,
  what: string,
  json: boolean,
  io: CommandIo,
): Promise<void> {
  const { id, wrappedEpochs, closedEpochs } = change
  const lines = new LineOutput(io.stdout)
  if (json) {
    lines.json(change)
  } else {
    lines.line(`${id} ${what} (${formatAmount(wrappedEpochs, 'key')} encrypted anew)`)
    for (const epoch of closedEpochs) lines.line(`  closed to this key, and left out: ${epoch}`)
  }
  await lines.flush()
}

export interface ExportKeyOptions extends BackupKeysOptions {
  /** `writer`: adds backups and reads none; `reader`: does both. */
  readonly role: 'writer' | 'reader'
  /** The file that is made; there must be none. */
  readonly out: string
}

/** Writes a key file, which stands for a passphrase or a private key. */
export async function exportKey(options: ExportKeyOptions, io: CommandIo): Promise<number> {
  const { role, out, json } = options
  await using repository = await openRepository(options)
  writeSecret(out, encodeKeyFile(keyFileOf(repository, role)))
  const lines = new LineOutput(io.stdout)
  if (json) lines.json({ role, out })
  else lines.line(`${out} is a key that can ${role === 'writer' ? 'write, not read' : 'read'}`)
  await lines.flush()
  return exitCodes.fine
}

function keyFileOf({ keys, file }: Repository, role: 'writer' | 'reader'): KeyFile {
  const { idKey } = keys.naming
  if (idKey === null) throw new InvalidArgumentError('repository', 'open', 'is not encrypted')
  const { repositoryId } = file
  if (role === 'writer') return { role, repositoryId, idKey, privateKey: null }
  const { privateKey } = keys
  if (privateKey !== null) return { role, repositoryId, idKey, privateKey }
  throw new InvalidArgumentError('key', 'of a writer', 'cannot give what it has not: reading')
}

/** For the eyes of its owner. */
function writeSecret(path: string, bytes: Buffer): void {
  try {
    writeFileSync(path, bytes, { flag: 'wx', mode: 0o600, flush: true })
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error
    throw new InvalidArgumentError('out', path, 'is there already')
  }
}
