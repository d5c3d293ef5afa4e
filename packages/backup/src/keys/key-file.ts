import { createPrivateKey, type KeyObject } from 'node:crypto'
import { BackupKeyError } from '../base/backup-errors.ts'
import { encodeCheckedJson, JsonShape } from '../format/json-shape.ts'

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
  return encodeCheckedJson({
    format: 'varve-backup-key',
    version: 1,
    role,
    repositoryId: repositoryId?.toString('hex') ?? null,
    idKey: idKey?.toString('hex') ?? null,
    privateKey: privateKey?.export({ type: 'pkcs8', format: 'pem' }) ?? null,
  })
}

/** A key file, or a private key in PEM as `openssl` writes it. Throws BackupKeyError. */
export function decodeKeyFile(bytes: Buffer): KeyFile {
  const text = bytes.toString('utf8')
  try {
    return text.trimStart().startsWith('{') ? ofJson(bytes) : ofPem(text)
  } catch (error) {
    throw new BackupKeyError('this is not a key file', {
      cause: error,
      hint: 'a file that `varve backup keys` wrote, or a private RSA key in PEM',
    })
  }
}

function ofJson(bytes: Buffer): KeyFile {
  const shape = JsonShape.parseChecked(bytes, 'the key file')
  shape.get('format').oneOf(['varve-backup-key'])
  shape.get('version').version(1)
  const role = shape.get('role').oneOf(['writer', 'reader'])
  return {
    role,
    repositoryId: shape.get('repositoryId').hex(16),
    idKey: shape.get('idKey').hex(32),
    privateKey: role === 'reader' ? createPrivateKey(shape.get('privateKey').text()) : null,
  }
}

function ofPem(text: string): KeyFile {
  return { role: 'reader', repositoryId: null, idKey: null, privateKey: createPrivateKey(text) }
}
