import { createPrivateKey, type KeyObject } from 'node:crypto'
import { BackupKeyError } from '../base/backup-errors.ts'

/**
 * What somebody holds who works with an encrypted repository.
 *
 * - `writer`: can add backups and not read any: it has the id key alone.
 * - `reader`: can do both: the private key of a recipient too.
 */
export interface KeyFile {
  readonly role: 'writer' | 'reader'
  /** 16 bytes; null in a private key that is on its own. */
  readonly repositoryId: Buffer | null
  /** 32 bytes; null in a private key that is on its own: then the repository's is believed. */
  readonly idKey: Buffer | null
  readonly privateKey: KeyObject | null
}

/** To be kept as secret as the backups are, and not beside them. */
export function encodeKeyFile({ role, repositoryId, idKey, privateKey }: KeyFile): Buffer {
  const text = {
    format: 'varve-backup-key',
    version: 1,
    role,
    repositoryId: repositoryId?.toString('hex') ?? null,
    idKey: idKey?.toString('hex') ?? null,
    privateKey: privateKey?.export({ type: 'pkcs8', format: 'pem' }) ?? null,
  }
  return Buffer.from(`${JSON.stringify(text, null, 2)}\n`)
}

/** A key file, or a private key in PEM as `openssl` writes it. Throws BackupKeyError. */
export function decodeKeyFile(bytes: Buffer): KeyFile {
  const text = bytes.toString('utf8')
  try {
    if (text.includes('-----BEGIN')) return ofPem(text)
    const { format, version, role, repositoryId, idKey, privateKey } = JSON.parse(text)
    const isKnown = format === 'varve-backup-key' && version === 1
    if (!isKnown || !(role === 'writer' || role === 'reader')) throw new Error('its format')
    return {
      role,
      repositoryId: hexOf(repositoryId, 16),
      idKey: hexOf(idKey, 32),
      privateKey: role === 'reader' ? createPrivateKey(privateKey) : null,
    }
  } catch (error) {
    throw new BackupKeyError('this is not a key file', {
      cause: error,
      hint: 'a file that `varve backup keys` wrote, or a private RSA key in PEM',
    })
  }
}

function ofPem(text: string): KeyFile {
  return { role: 'reader', repositoryId: null, idKey: null, privateKey: createPrivateKey(text) }
}

function hexOf(value: unknown, bytes: number): Buffer {
  if (typeof value === 'string' && /^[0-9a-f]+$/.test(value) && value.length === 2 * bytes) {
    return Buffer.from(value, 'hex')
  }
  throw new Error('a key in it')
}
