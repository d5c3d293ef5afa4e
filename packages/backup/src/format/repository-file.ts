import { encodeCheckedJson, JsonShape } from './json-shape.ts'

/** `repository.json`: what holds for the whole repository. Made once, never changed. */
export interface RepositoryFile {
  /** 16 random bytes; objects of one repository do not decrypt in another. */
  readonly repositoryId: Buffer
  readonly createdMs: number
  /** Segments are cut into objects of about so many bytes, at the ends of batches. */
  readonly objectBytes: number
  readonly isEncrypted: boolean
}

export const repositoryFileKey = 'repository.json'

export function encodeRepositoryFile(file: RepositoryFile): Buffer {
  return encodeCheckedJson({
    format: 'varve-backup',
    version: 1,
    repositoryId: file.repositoryId.toString('hex'),
    createdMs: file.createdMs,
    objectBytes: file.objectBytes,
    encryption: file.isEncrypted ? 'AES-256-GCM, RSA-OAEP-SHA-256' : 'none',
  })
}

/** Throws CorruptRepositoryError. */
export function decodeRepositoryFile(bytes: Buffer): RepositoryFile {
  const shape = JsonShape.parseChecked(bytes, repositoryFileKey)
  shape.get('format').oneOf(['varve-backup'])
  shape.get('version').version(1)
  const encryption = shape.get('encryption').oneOf(['AES-256-GCM, RSA-OAEP-SHA-256', 'none'])
  return {
    repositoryId: shape.get('repositoryId').hex(16),
    createdMs: shape.get('createdMs').number(),
    objectBytes: shape.get('objectBytes').count(2 ** 30),
    isEncrypted: encryption !== 'none',
  }
}
