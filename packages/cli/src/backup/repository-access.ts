import { resolve } from 'node:path'
import { decodeKeyFile, openTarget, Repository, type Target, type Unlocking } from '@varve/backup'
import { nodeFileSystem } from '@varve/log'
import { readSmallFile } from '@varve/log/files'
import { InvalidArgumentError } from '@varve/record'

/** Which repository, and what opens it where it is encrypted. */
export interface RepositoryAccess {
  /** A directory, or `s3://bucket/prefix`. */
  readonly repository: string
  /** A file with the passphrase in its first line. */
  readonly passphraseFile?: string | undefined
  /** A key file, or a private RSA key in PEM. */
  readonly key?: string | undefined
}

/** No passphrase or key is as large. */
const secretBytesMax = 1024 * 1024

export function openTargetOf({ repository }: RepositoryAccess): Promise<Target> {
  return openTarget(repository === '' || isUrl(repository) ? repository : resolve(repository))
}

/** As the repository's target is called, wherever the command is called from. */
export function targetNameOf(repository: string): string {
  return isUrl(repository) ? repository.replace(/\?.*$/, '') : resolve(repository)
}

const isUrl = (repository: string): boolean => /^[a-z0-9]+:\/\//i.test(repository)

/** Rejects with RepositoryNotFoundError, BackupKeyError, InvalidArgumentError, TargetError. */
export async function openRepository(access: RepositoryAccess): Promise<Repository> {
  const unlocking = unlockingOf(access)
  const target = await openTargetOf(access)
  try {
    return await Repository.open(target, unlocking)
  } catch (error) {
    await target.close()
    throw error
  }
}

/** Null where no key is given. */
export function unlockingOf({ passphraseFile, key }: RepositoryAccess): Unlocking | null {
  if (passphraseFile !== undefined && key !== undefined) {
    throw new InvalidArgumentError('key', key, 'is one too many beside a passphrase')
  }
  if (passphraseFile !== undefined) return { passphrase: readPassphrase(passphraseFile) }
  if (key !== undefined) return { keyFile: decodeKeyFile(readSecret('key', key)) }
  return null
}

/** The first line of a file. */
export function readPassphrase(path: string): string {
  const [line = ''] = readSecret('passphrase-file', path).toString('utf8').split(/\r?\n/, 1)
  if (line === '')
    throw new InvalidArgumentError('passphrase-file', path, 'has an empty first line')
  return line
}

export function readSecret(option: string, path: string): Buffer {
  const bytes = readSmallFile(nodeFileSystem, path, secretBytesMax)
  if (bytes === null) throw new InvalidArgumentError(option, path, 'is not there')
  return bytes
}
