import type { FileSystem } from '@varve/log'
import { isSystemError, segmentFileName } from '@varve/log/files'
import type { StoredSegment } from '../format/partition-list.ts'
import type { Repository } from '../repository/repository.ts'
import type { ExtentEncoder } from '../taking/extent-encoder.ts'

/** Looks for segments that need not be fetched, because a directory here has them. */
export class LocalCopies {
  readonly #fs: FileSystem
  readonly #repository: Repository
  readonly #encoder: ExtentEncoder
  readonly #directories: readonly string[]

  /** @param directories data directories, looked at in this order */
  constructor(
    fs: FileSystem,
    repository: Repository,
    encoder: ExtentEncoder,
    directories: readonly string[],
  ) {
    this.#fs = fs
    this.#repository = repository
    this.#encoder = encoder
    this.#directories = directories
  }

  /**
   * Gives a sealed segment that is here, byte for byte, a second name in `directory`. Every byte is
   * read and compared by digest. Tells whether there was one.
   */
  async link(segment: StoredSegment, log: string, directory: string): Promise<boolean> {
    if (!segment.isSealed || segment.damage !== null) return false
    const name = segmentFileName(segment.baseOffset, 'log')
    for (const candidate of this.#directories) {
      const path = `${candidate}/${log}/${name}`
      const stat = this.#fs.stat(path)
      if (stat === null || stat.isDirectory || stat.sizeBytes !== segment.sizeBytes) continue
      if (!(await this.#isSame(path, stat.fileId, segment))) continue
      try {
        this.#fs.link(path, `${directory}/${name}`)
        return true
      } catch (error) {
        if (!isSystemError(error, 'EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK')) throw error
      }
    }
    return false
  }

  async #isSame(path: string, fileId: number, segment: StoredSegment): Promise<boolean> {
    const { keys, file } = this.#repository
    let position = 0
    for (const { id, sizeBytes } of segment.extents) {
      const result = await this.#encoder.encode({
        ...{ path, fileId, position, limit: position + sizeBytes, objectBytes: sizeBytes },
        endOffset: Number.MAX_SAFE_INTEGER,
        isRaw: true,
        // What it is believed to be is not encoded.
        known: BigUint64Array.of(id.readBigUInt64BE(0)),
        idKey: keys.naming.idKey,
        epoch: null,
        repositoryId: file.repositoryId,
      })
      if (!id.equals(result.id)) return false
      position += sizeBytes
    }
    return position === segment.sizeBytes
  }
}
