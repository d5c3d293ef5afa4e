import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A file that becomes a record. */
export interface CorpusFile {
  /** The record's key: the path below the corpus's root, with '/' on every system. */
  readonly key: string
  readonly path: string
  readonly sizeBytes: number
}

export interface CorpusLimits {
  /** Larger files are left out. */
  readonly fileBytesMax: number
  /** The corpus ends before it would grow beyond these. */
  readonly files: number
  readonly totalBytes: number
}

/**
 * The files below a directory, in an order that depends on their names only, so that two processes
 * which look at the same directory agree. Symbolic links are not followed: the package manager
 * makes many, and every file would come several times.
 */
export function findCorpus(root: string, limits: CorpusLimits): readonly CorpusFile[] {
  const files: CorpusFile[] = []
  let totalBytes = 0
  const visit = (directory: string, prefix: string): void => {
    const entries = readdirSync(directory, { withFileTypes: true })
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      const path = join(directory, entry.name)
      const key = `${prefix}${entry.name}`
      if (entry.isDirectory()) {
        visit(path, `${key}/`)
      } else if (entry.isFile() && files.length < limits.files) {
        const sizeBytes = statSync(path).size
        if (sizeBytes > limits.fileBytesMax || totalBytes + sizeBytes > limits.totalBytes) continue
        totalBytes += sizeBytes
        files.push({ key, path, sizeBytes })
      }
    }
  }
  visit(root, '')
  return files
}
