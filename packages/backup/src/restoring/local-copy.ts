import type { FileSystem } from '@varve/log'
import { isSystemError, segmentFileName } from '@varve/log/files'
import type { StoredSegment } from '../format/partition-list.ts'
import type { Repository } from '../repository/repository.ts'
import type { ExtentEncoder } from '../taking/extent-encoder.ts'

/** Finds segments that need not be fetched, because they are here. */
export class LocalCopies {
  readonly #fs: FileSystem
  readonly #repository: Repository
  readonly #encoder: ExtentEncoder

  constructor(fs: FileSystem, repository: Repository, encoder: ExtentEncoder) {
    this.#fs = fs
    this.#repository = repository
    this.#encoder = encoder
  }

  /** Whether a log's directory has a file that may be the segment. Looks at no content. */
  mayHave(segment: StoredSegment, directory: string): boolean {
    if (!segment.isSealed || segment.damage !== null) return false
    const stat = this.#fs.stat(pathOf(segment, directory))
    return stat?.isDirectory === false && stat.sizeBytes === segment.sizeBytes
  }

  /** Whether a log's directory has the segment: every byte is read and compared by digest. */
  async has(segment: StoredSegment, directory: string): Promise<boolean> {
    if (!this.mayHave(segment, directory)) return false
    const path = pathOf(segment, directory)
    const fileId = this.#fs.stat(path)?.fileId ?? -1
    try {
      return await this.#isSame(path, fileId, segment)
    } catch (error) {
      // Where it cannot be read it is fetched.
      if (isSystemError(error, 'EIO', 'EACCES', 'ENOENT', 'ESTALE')) return false
      throw error
    }
  }

  /**
   * Gives a segment that another directory has a second name. Tells whether it has it, and the file
   * system has links from there to here.
   */
  async link(segment: StoredSegment, from: string, to: string): Promise<boolean> {
    if (!(await this.has(segment, from))) return false
    try {
      this.#fs.link(pathOf(segment, from), pathOf(segment, to))
      return true
    } catch (error) {
      if (isSystemError(error, ...noLinkCodes)) return false
      throw error
    }
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

const noLinkCodes = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

function pathOf({ baseOffset }: StoredSegment, directory: string): string {
  return `${directory}/${segmentFileName(baseOffset, 'log')}`
}
