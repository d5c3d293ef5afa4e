import type { IoThrottle } from '@varve/log/pacing'
import { CorruptRepositoryError, MissingObjectError } from '../base/backup-errors.ts'
import { epochIdOf, isCompressedFile, readObjectHeader } from '../format/object-file.ts'
import type { StoredExtent } from '../format/partition-list.ts'
import { objectKey, type Repository } from '../repository/repository.ts'
import type { ObjectDecoder } from './object-decoder.ts'
import { ObjectMemory } from './object-memory.ts'
import type { ObjectOutcome } from './object-task.ts'

/** The content of an object, in memory that is used again. */
export interface LentContent {
  /** Good until it is released. */
  readonly bytes: Buffer
  /** Once. */
  release(): void
}

/** Reads the data objects of a repository, each proven to be what it is said to be. */
export class ObjectReader {
  readonly #repository: Repository
  readonly #decoder: ObjectDecoder
  readonly #throttle: IoThrottle | null
  readonly #memory: ObjectMemory

  constructor(repository: Repository, decoder: ObjectDecoder, throttle: IoThrottle | null = null) {
    this.#repository = repository
    this.#decoder = decoder
    this.#throttle = throttle
    this.#memory = new ObjectMemory(repository.file.objectBytes)
  }

  /** Rejects with MissingObjectError, CorruptRepositoryError, BackupKeyError, TargetError. */
  async read(set: string, extent: StoredExtent, hasBatches: boolean): Promise<Uint8Array> {
    const lent = await this.borrow(set, extent, hasBatches)
    try {
      // What waits to be collected is the content alone.
      return new Uint8Array(lent.bytes)
    } finally {
      lent.release()
    }
  }

  /** As `read`, in memory that is used again once it is released: little of it is needed. */
  async borrow(set: string, extent: StoredExtent, hasBatches: boolean): Promise<LentContent> {
    const memory = this.#memory
    const outcome = await this.#decode(set, extent, hasBatches, true)
    const bytes = contentOf(outcome)
    for (const piece of outcome.memory) if (piece.buffer !== bytes.buffer) memory.give(piece)
    return { bytes, release: () => memory.give(bytes) }
  }

  /** As `read`, without the content. */
  async check(set: string, extent: StoredExtent, hasBatches: boolean): Promise<void> {
    const memory = this.#memory
    const outcome = await this.#decode(set, extent, hasBatches, false)
    for (const piece of outcome.memory) memory.give(piece)
  }

  async #decode(
    set: string,
    { id, sizeBytes }: StoredExtent,
    hasBatches: boolean,
    isWanted: boolean,
  ): Promise<ObjectOutcome & { readonly isSound: true }> {
    const key = objectKey(set, id)
    const { target, keys, file: repositoryFile } = this.#repository
    await this.#throttle?.spend(sizeBytes)
    let taken: Buffer | null = null
    const take = (bytes: number): Buffer => {
      taken = this.#memory.take(bytes)
      return taken
    }
    const file = await target.get(key, { memory: take })
    if (file === null) throw new MissingObjectError(key)
    const epochKey = keys.isEncrypted ? await this.#epochKeyOf(file, key) : null
    const room = isCompressedFile(file) ? this.#roomFor(sizeBytes) : null
    const outcome = await this.#decoder.decode({
      ...{ file, room, key, id, sizeBytes, hasBatches, isWanted, epochKey },
      isOwn: isOwn(file, taken),
      idKey: keys.naming.idKey,
      repositoryId: repositoryFile.repositoryId,
    })
    if (outcome.isSound) return outcome
    for (const piece of outcome.memory) this.#memory.give(piece)
    throw new CorruptRepositoryError(key, outcome.reason)
  }

  /** Large content gets memory as it comes: so much need not be in the file. */
  #roomFor(bytes: number): Buffer | null {
    return this.#memory.hasRoomFor(bytes) ? this.#memory.take(bytes) : null
  }

  /** The file is checked by whoever decodes it. */
  async #epochKeyOf(file: Buffer, key: string): Promise<Buffer | null> {
    const epochId = epochIdOf(file)
    try {
      return epochId && (await this.#repository.keys.epochKey(epochId))
    } catch (error) {
      // Where the file is damaged there need not be such an epoch.
      readObjectHeader(file, key)
      throw error
    }
  }
}

function contentOf({ content }: ObjectOutcome & { readonly isSound: true }): Buffer {
  if (content === null) return Buffer.alloc(0)
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength)
}

/** Whether nobody else has the memory in which a file lies. */
function isOwn({ buffer, byteLength }: Buffer, taken: Buffer | null): boolean {
  return buffer === taken?.buffer || buffer.byteLength === byteLength
}
