import { createHash, createHmac } from 'node:crypto'
import { CorruptRepositoryError, TargetError } from '../base/backup-errors.ts'
import { JsonShape } from '../format/json-shape.ts'
import type { Target } from '../target/target.ts'

export const auditPrefix = 'audit/'

/** Something that was done to the repository. */
export interface AuditEntry {
  readonly sequence: number
  /** By the clock of whoever did it, in ms since the epoch. */
  readonly atMs: number
  readonly action: string
  /** In words; names nothing that is encrypted elsewhere. */
  readonly details: string
  /** Who, where that was said. */
  readonly actor: string | null
  /** SHA-256 of the file of the entry before; null for the first. */
  readonly previous: Buffer | null
  /** HMAC-SHA-256 of the rest under the id key; null from one who has no key. */
  readonly proof: Buffer | null
}

const attemptsMax = 100

/**
 * What was done to a repository, each entry naming the one before by its hash: an entry that was
 * changed, taken out or put between shows. Entries are added, never changed.
 */
export class AuditLog {
  readonly #target: Target
  readonly #idKey: Buffer | null

  /** @param idKey of an encrypted repository, for whoever has it */
  constructor(target: Target, idKey: Buffer | null) {
    this.#target = target
    this.#idKey = idKey
  }

  async add(entry: Pick<AuditEntry, 'atMs' | 'action' | 'details' | 'actor'>): Promise<void> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const last = (await this.#files()).at(-1)
      const sequence = (last?.sequence ?? 0) + 1
      const { atMs, action, details, actor } = entry
      const previous = last === undefined ? null : hashOf(last.bytes)
      const text = { sequence, atMs, action, details, actor, previous: hexOf(previous) }
      const proof = hexOf(this.#proofOf(text))
      const bytes = Buffer.from(`${JSON.stringify({ ...text, proof })}\n`)
      // Somebody else may add at this moment: one of two gets the number.
      if (await this.#target.put(keyOf(sequence), bytes)) return
    }
    throw new TargetError(`adding to ${auditPrefix}`, new Error('others always were first'), true)
  }

  /**
   * All entries, oldest first. Rejects with CorruptRepositoryError at the first one that is not as
   * it was written, or does not follow the one before.
   */
  async read(): Promise<readonly AuditEntry[]> {
    const entries: AuditEntry[] = []
    let before: Buffer | null = null
    for (const { key, sequence, bytes } of await this.#files()) {
      const entry = decodeEntry(bytes, key)
      const fail = (reason: string): never => {
        throw new CorruptRepositoryError(key, reason)
      }
      if (entry.sequence !== sequence || sequence !== entries.length + 1) {
        return fail(`entry ${entries.length + 1} should be here`)
      }
      if (hexOf(entry.previous) !== hexOf(before && hashOf(before))) {
        return fail('the entry before it is not the one that was there')
      }
      if (this.#idKey !== null && entry.proof !== null && !this.#isProven(entry)) {
        return fail('it was not written by somebody with a key')
      }
      entries.push(entry)
      before = bytes
    }
    return entries
  }

  async #files(): Promise<ReadonlyArray<{ key: string; sequence: number; bytes: Buffer }>> {
    const files = []
    for await (const { key } of this.#target.list(auditPrefix)) {
      const sequence = Number(/^audit\/(\d{10})\.json$/.exec(key)?.[1] ?? Number.NaN)
      const bytes = Number.isNaN(sequence) ? null : await this.#target.get(key)
      if (bytes !== null) files.push({ key, sequence, bytes })
    }
    return files
  }

  #isProven({ previous, proof, ...rest }: AuditEntry): boolean {
    const { sequence, atMs, action, details, actor } = rest
    const text = { sequence, atMs, action, details, actor, previous: hexOf(previous) }
    return hexOf(proof) === hexOf(this.#proofOf(text))
  }

  #proofOf(text: object): Buffer | null {
    if (this.#idKey === null) return null
    const content = `varve audit ${JSON.stringify(text)}`
    return createHmac('sha256', this.#idKey).update(content).digest()
  }
}

/** What entries of the audit log say of backups that are gone by right. */
const rightfulActions = ['prune', 'thin out', 'mirror', 'withdraw', 'accept loss']

/**
 * Ids of backups that somebody removed and said so. Rejects with CorruptRepositoryError where the
 * log is damaged: then nobody knows.
 */
export async function rightfullyGone(audit: AuditLog): Promise<ReadonlySet<string>> {
  const entries = await audit.read()
  const rightful = entries.filter(({ action }) => rightfulActions.includes(action))
  return new Set(rightful.flatMap(({ details }) => details.split(' ')))
}

const keyOf = (sequence: number): string =>
  `${auditPrefix}${String(sequence).padStart(10, '0')}.json`
const hashOf = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest()
const hexOf = (bytes: Buffer | null): string | null => bytes?.toString('hex') ?? null

function decodeEntry(bytes: Buffer, key: string): AuditEntry {
  const shape = JsonShape.parse(bytes, key)
  return {
    sequence: shape.get('sequence').count(),
    atMs: shape.get('atMs').number(),
    action: shape.get('action').text(),
    details: shape.get('details').text(),
    actor: shape.get('actor').optional((actor) => actor.text()),
    previous: shape.get('previous').optional((hash) => hash.hex(32)),
    proof: shape.get('proof').optional((proof) => proof.hex(32)),
  }
}
