import { createHmac } from 'node:crypto'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import { JsonShape } from '../format/json-shape.ts'
import { backupIdPattern } from '../format/manifest.ts'
import type { Target } from '../target/target.ts'

export const verificationsPrefix = 'verifications/'

/** That every byte of a backup was read, and what was found. */
export interface Verification {
  readonly backupId: string
  /** When it began, in ms since the epoch. */
  readonly atMs: number
  readonly isSound: boolean
}

/**
 * Notes that a backup was verified; earlier notes stay. In an encrypted repository the note is
 * proven by the id key, so that nobody without a key can pass a backup off as verified.
 */
export async function noteVerification(
  target: Target,
  idKey: Buffer | null,
  { backupId, atMs, isSound }: Verification,
): Promise<void> {
  const text = { format: 1, backupId, atMs, isSound }
  const proof = proofOf(idKey, text)?.toString('hex') ?? null
  const key = `${verificationsPrefix}${backupId}/${String(Math.floor(atMs)).padStart(16, '0')}`
  await target.put(key, Buffer.from(`${JSON.stringify({ ...text, proof })}\n`))
}

/**
 * The latest note of each backup. A note that is damaged or not proven does not count: to whoever
 * has no key, all count that are whole.
 */
export async function readVerifications(
  target: Target,
  idKey: Buffer | null,
): Promise<ReadonlyMap<string, Verification>> {
  const latest = new Map<string, Verification>()
  for await (const { key } of target.list(verificationsPrefix)) {
    const found = await readNote(target, idKey, key)
    // Keys are in order, and so are the notes of a backup.
    if (found !== null) latest.set(found.backupId, found)
  }
  return latest
}

async function readNote(
  target: Target,
  idKey: Buffer | null,
  key: string,
): Promise<Verification | null> {
  const bytes = await target.get(key)
  if (bytes === null) return null
  try {
    const shape = JsonShape.parse(bytes, key)
    const text = {
      format: shape.get('format').count(1),
      backupId: shape.get('backupId').text(backupIdPattern),
      atMs: shape.get('atMs').number(),
      isSound: shape.get('isSound').boolean(),
    }
    const proof = shape.get('proof').optional((found) => found.hex(32))
    const wanted = proofOf(idKey, text)
    const isProven = wanted === null || (proof !== null && wanted.equals(proof))
    const isOwn = key.startsWith(`${verificationsPrefix}${text.backupId}/`)
    if (!isProven || !isOwn) return null
    return { backupId: text.backupId, atMs: text.atMs, isSound: text.isSound }
  } catch (error) {
    if (error instanceof CorruptRepositoryError) return null
    throw error
  }
}

function proofOf(idKey: Buffer | null, text: object): Buffer | null {
  if (idKey === null) return null
  return createHmac('sha256', idKey)
    .update(`varve verification ${JSON.stringify(text)}`)
    .digest()
}
