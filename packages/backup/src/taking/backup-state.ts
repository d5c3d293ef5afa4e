import { createHash } from 'node:crypto'
import { type FileSystem, nodeFileSystem } from '@varve/log'
import { makeDirectories, readSmallFile, replaceSmallFile } from '@varve/log/files'
import { compress, decompress, VarveError } from '@varve/record'
import { JsonShape } from '../format/json-shape.ts'
import { decodeManifest, encodeManifest, type Manifest } from '../format/manifest.ts'
import {
  decodePartitionList,
  encodePartitionList,
  type PartitionList,
} from '../format/partition-list.ts'

/** What a backup leaves for the next one of the same source. */
export interface BackupState {
  readonly manifest: Manifest
  /** SHA-256 of the manifest's file. */
  readonly fileHash: Buffer
  /** In the order of the manifest's partitions. */
  readonly lists: readonly PartitionList[]
}

const stateBytesMax = 2 ** 30
/** A SHA-256 of the rest comes first. */
const digestBytes = 32

/**
 * Remembers, beside the source, what its latest backups hold: so that one who may not read the
 * repository need not read the whole source again either, and so that a repository that was put
 * back to an older state is noticed. Without it everything works, and takes longer.
 */
export class BackupStateFile {
  readonly #fs: FileSystem
  readonly #directory: string
  readonly #name: string

  /** @param what the latest backup, or the latest full one */
  constructor(
    directory: string,
    repositoryId: Buffer,
    what: 'latest' | 'full',
    fs: FileSystem = nodeFileSystem,
  ) {
    this.#fs = fs
    this.#directory = directory
    this.#name = `${repositoryId.toString('hex')}-${what}`
  }

  get path(): string {
    return `${this.#directory}/${this.#name}`
  }

  /** Null when there is none that can be used. */
  read(): BackupState | null {
    try {
      const bytes = readSmallFile(this.#fs, this.path, stateBytesMax)
      const content = bytes && contentOf(bytes)
      return content && stateOf(JsonShape.parse(content, this.path), this.path)
    } catch (error) {
      // Whatever it is, the repository has it all, and the source.
      if (error instanceof VarveError || (error instanceof Error && 'code' in error)) return null
      throw error
    }
  }

  async write({ manifest, fileHash, lists }: BackupState): Promise<void> {
    await makeDirectories(this.#fs, this.#directory)
    const text = {
      fileHash: fileHash.toString('hex'),
      manifest: encodeManifest(manifest).toString('utf8'),
      lists: lists.map((list) => encodePartitionList(list).toString('utf8')),
    }
    const bytes = compress('zstd', Buffer.from(JSON.stringify(text)))
    await replaceSmallFile(this.#fs, this.path, Buffer.concat([digestOf(bytes), bytes]))
  }
}

/** Null when it is not what was written. Objects that it names are not looked for. */
function contentOf(bytes: Buffer): Buffer | null {
  const packed = bytes.subarray(digestBytes)
  if (!digestOf(packed).equals(bytes.subarray(0, digestBytes))) return null
  return decompress('zstd', packed, { maxBytes: stateBytesMax })
}

function digestOf(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function stateOf(shape: JsonShape, path: string): BackupState {
  return {
    fileHash: shape.get('fileHash').hex(32),
    manifest: decodeManifest(Buffer.from(shape.get('manifest').text()), path),
    lists: shape.get('lists').list((list) => decodePartitionList(Buffer.from(list.text()), path)),
  }
}
