import { readFileSync } from 'node:fs'
import { InvalidArgumentError } from '@varve/record'

/**
 * Reads a file that an option names. Throws InvalidArgumentError where it can't be read: what the
 * system says of a directory names neither the option nor the path.
 */
export function readGivenFile(option: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new InvalidArgumentError(option, path, ruleOf(error))
  }
}

function ruleOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code === 'ENOENT') return 'is not there'
  if (code === 'EISDIR') return 'must be a file, and is a directory'
  const reason = error instanceof Error ? error.message : String(error)
  return `must be readable: ${reason}`
}
