import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LogOptions } from '@varve/log'
import type { CompressionType } from '@varve/record'
import { type CorpusFile, findCorpus } from './corpus.ts'

/** The repository. This file is compiled to `tools/dist/demo/`. */
export const repositoryRoot: string = dirname(
  dirname(dirname(dirname(fileURLToPath(import.meta.url)))),
)

export const topic = 'files'
export const partition = 0

/** Small, so that a hundred megabytes make several segments; a record must fit into one. */
export const segmentBytes: number = 32 * 2 ** 20
const batchOverheadBytes = 64 * 1024

export const logOptions: LogOptions = {
  segmentBytes,
  maxMessageBytes: segmentBytes,
  // No other process reads along that would need deleted files a while longer.
  fileDeleteDelayMs: 0,
}

/** The files of the installed dependencies: real input, and on every machine that is set up. */
export function demoCorpus(): readonly CorpusFile[] {
  return findCorpus(join(repositoryRoot, 'node_modules', '.pnpm'), {
    fileBytesMax: segmentBytes - batchOverheadBytes,
    files: 20_000,
    totalBytes: 256 * 2 ** 20,
  })
}

/** How the writer is started: as arguments, so that it can be watched with `ps`. */
export interface WriterArguments {
  readonly data: string
  readonly compressionType: CompressionType
}
