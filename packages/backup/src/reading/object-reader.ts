import type { IoThrottle } from '@varve/log/pacing'
import { CorruptRepositoryError, MissingObjectError } from '../base/backup-errors.ts'
import { epochIdOf, readObjectHeader } from '../format/object-file.ts'
import type { StoredExtent } from '../format/partition-list.ts'
import { objectKey, type Repository } from '../repository/repository.ts'
import type { ObjectDecoder } from './object-decoder.ts'

/** Reads the data objects of a repository, each proven to be what it is said to be. */
export class ObjectReader {
  readonly #repository: Repository
  readonly #decoder: ObjectDecoder
  readonly #throttle: IoThrottle | null

  constructor(repository: Repository, decoder: ObjectDecoder, throttle: IoThrottle | null = null) {
    this.#repository = repository
    this.#decoder = decoder
    this.#throttle = throttle
  }

  /** Rejects with MissingObjectError, CorruptRepositoryError, BackupKeyError, TargetError. */
  async read(set: string, extent: StoredExtent, hasBatches: boolean): Promise<Uint8Array> {
    const content = await this.#decode(set, extent, hasBatches, true)
    return content ?? new Uint8Array(0)
  }

  /** As `read`, without the content. Resolves to the bytes that are stored. */
  async check(set: string, extent: StoredExtent, hasBatches: boolean): Promise<void> {
    await this.#decode(set, extent, hasBatches, false)
  }

  async #decode(
    set: string,
    { id, sizeBytes }: StoredExtent,
    hasBatches: boolean,
    isWanted: boolean,
  ): Promise<Uint8Array | null> {
    const key = objectKey(set, id)
    const { target, keys, file: repositoryFile } = this.#repository
    await this.#throttle?.spend(sizeBytes)
    const file = await target.get(key)
    if (file === null) throw new MissingObjectError(key)
    const epochKey = keys.isEncrypted ? await this.#epochKeyOf(file, key) : null
    const outcome = await this.#decoder.decode({
      ...{ file, key, id, sizeBytes, hasBatches, isWanted, epochKey },
      idKey: keys.naming.idKey,
      repositoryId: repositoryFile.repositoryId,
    })
    if (outcome.isSound) return outcome.content
    throw new CorruptRepositoryError(key, outcome.reason)
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
