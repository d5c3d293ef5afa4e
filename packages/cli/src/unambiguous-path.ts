import { basename, resolve } from 'node:path'

/**
 * A path by whose end the directory's name can be told, and by whose front its parent: `.` and what
 * ends in `..` are written out, every other path stays as the user wrote it.
 */
export function unambiguous(path: string): string {
  const trimmed = path.length > 1 ? path.replace(/\/+$/, '') : path
  return basename(trimmed) === basename(resolve(trimmed)) ? trimmed : resolve(trimmed)
}
