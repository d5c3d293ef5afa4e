import { createPublicKey, type KeyObject } from 'node:crypto'
import { Repository } from '@varve/backup'
import { InvalidArgumentError } from '@varve/record'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { LineOutput } from '../output.ts'
import { openTargetOf, readPassphrase, readSecret } from './repository-access.ts'

export interface BackupInitOptions {
  readonly repository: string
  /** Encrypts: who knows it can read. */
  readonly passphraseFile?: string | undefined
  /** Encrypts: public RSA keys in PEM, whose private halves can read. */
  readonly recipients: readonly string[]
  readonly objectBytes?: number | undefined
  readonly json: boolean
}

/** Makes a repository. */
export async function initRepository(options: BackupInitOptions, io: CommandIo): Promise<number> {
  const { passphraseFile, recipients, objectBytes, json } = options
  const publicKeys = recipients.map(readPublicKey)
  const passphrase = passphraseFile === undefined ? undefined : readPassphrase(passphraseFile)
  const isEncrypted = passphrase !== undefined || publicKeys.length > 0
  const encryption = { publicKeys, ...(passphrase !== undefined && { passphrase }) }
  const target = await openTargetOf(options)
  await using repository = await Repository.create(target, {
    nowMs: io.clock.now(),
    ...(objectBytes !== undefined && { objectBytes }),
    ...(isEncrypted && { encryption }),
  })
  const repositoryId = repository.file.repositoryId.toString('hex')
  const lines = new LineOutput(io.stdout)
  if (json) lines.json({ repository: target.name, repositoryId, isEncrypted })
  else lines.line(`${target.name} is made, ${isEncrypted ? 'encrypted' : 'not encrypted'}`)
  await lines.flush()
  return exitCodes.fine
}

function readPublicKey(path: string): KeyObject {
  try {
    return createPublicKey(readSecret('recipient', path))
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error
    throw new InvalidArgumentError('recipient', path, 'has no public key in PEM')
  }
}
