import type { CommandIo } from '../command-io.ts'
import type { LineOutput } from '../output.ts'

export interface DumpOptions {
  readonly path: string
  /** Print the records in batches. */
  readonly records: boolean
  /** Leave out what lies wholly before this offset. */
  readonly from: number | null
  /** Stop after so many batches, or records where these are printed, or entries of other files. */
  readonly max: number | null
  /** In JSON: length and SHA-256 in the place of values over 256 bytes. */
  readonly digest: boolean
  readonly json: boolean
}

/** What the dumping of one file after the other shares. */
export interface DumpContext {
  readonly io: CommandIo
  readonly options: DumpOptions
  readonly lines: LineOutput
  /** How many batches, records or entries may still be printed. */
  left: number
  /** Whether anything was not as it should be. */
  hasFindings: boolean
}
