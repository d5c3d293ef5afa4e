import { type DirectoryVarve, openDataDirectory } from './directory-varve.ts'
import type { VarveOptions } from './varve.ts'

/** Opens a data directory. See `openDataDirectory`. */
export function openVarve(directory: string, options: VarveOptions = {}): Promise<DirectoryVarve> {
  return openDataDirectory(directory, options)
}
