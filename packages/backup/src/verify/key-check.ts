import { CorruptRepositoryError } from '../base/backup-errors.ts'
import { epochsPrefix } from '../keys/key-ring.ts'
import { decodeRecipient, isProven, type Recipient, recipientsPrefix } from '../keys/recipient.ts'
import type { Repository } from '../repository/repository.ts'
import { findingOf, type RepositoryFinding } from './finding.ts'

/**
 * Checks the files that hold keys. What is encrypted to others can only be seen to have its size;
 * whether the caller's own open is found where they are used.
 */
export async function checkKeys(repository: Repository): Promise<readonly RepositoryFinding[]> {
  const findings: RepositoryFinding[] = []
  const recipients = new Map<string, Recipient>()
  const check = async (key: string, look: (bytes: Buffer) => void): Promise<void> => {
    try {
      const bytes = await repository.target.get(key)
      if (bytes !== null) look(bytes)
    } catch (error) {
      findings.push(findingOf(error, key, null, null))
    }
  }
  const { idKey } = repository.keys.naming
  for await (const { key } of repository.target.list(recipientsPrefix)) {
    await check(key, (bytes) => {
      const recipient = decodeRecipient(bytes, key)
      if (idKey !== null && !isProven(recipient, idKey)) {
        throw new CorruptRepositoryError(key, 'nobody with a key to the repository put it there')
      }
      if (recipient.wrappedIdKey.length !== sealedBytesFor(recipient)) {
        throw new CorruptRepositoryError(key, 'what is encrypted in it has a wrong length')
      }
      recipients.set(recipient.id, recipient)
    })
  }
  for await (const { key, sizeBytes } of repository.target.list(epochsPrefix)) {
    const recipient = recipients.get(key.slice(key.lastIndexOf('/') + 1))
    if (recipient === undefined || sizeBytes === sealedBytesFor(recipient)) continue
    const error = new CorruptRepositoryError(key, `it has ${sizeBytes} bytes`)
    findings.push(findingOf(error, key, null, null))
  }
  return findings
}

/** What RSA makes of a key. */
function sealedBytesFor({ publicKey }: Recipient): number {
  return (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8
}
