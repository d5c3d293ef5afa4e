import type { Offset } from '@varve/record'
import type { LogCheckpoints } from '../base/log-checkpoints.ts'
import {
  logStartOffsetCheckpointFileName,
  recoveryPointCheckpointFileName,
} from '../storage/file-names.ts'
import type { FileSystem } from '../storage/file-system.ts'
import { OffsetCheckpointFile } from './offset-checkpoint.ts'

/** Whatever the directory is called, and will be called: the files speak of nothing else. */
export const ownCheckpointName = 'log-0'

/**
 * The checkpoints of a log that lives on its own, in its own directory, in Kafka's form. A file
 * that cannot be read counts as empty, and is whole again when it is written next.
 */
export class OwnCheckpoints implements LogCheckpoints {
  readonly recoveryPoint: Offset | null
  readonly logStartOffset: Offset | null
  readonly #fs: FileSystem
  readonly #recoveryPointFile: OffsetCheckpointFile
  readonly #logStartFile: OffsetCheckpointFile

  constructor(fs: FileSystem, directory: string) {
    const file = (name: string): OffsetCheckpointFile =>
      new OffsetCheckpointFile(fs, `${directory}/${name}`)
    this.#fs = fs
    this.#recoveryPointFile = file(recoveryPointCheckpointFileName)
    this.#logStartFile = file(logStartOffsetCheckpointFileName)
    this.recoveryPoint = this.#recoveryPointFile.readOrEmpty().get(ownCheckpointName) ?? null
    this.logStartOffset = this.#logStartFile.readOrEmpty().get(ownCheckpointName) ?? null
  }

  get logStartPath(): string {
    return this.#logStartFile.path
  }

  async saveLogStartOffset(offset: Offset): Promise<void> {
    await this.#logStartFile.write(new Map([[ownCheckpointName, offset]]))
  }

  async closed(recoveryPoint: Offset): Promise<void> {
    await this.#recoveryPointFile.write(new Map([[ownCheckpointName, recoveryPoint]]))
  }

  /** Removes the files: somebody else keeps these offsets from now on. */
  async remove(): Promise<void> {
    for (const { path } of [this.#recoveryPointFile, this.#logStartFile]) {
      if (this.#fs.stat(path) !== null) await this.#fs.remove(path)
    }
  }
}
