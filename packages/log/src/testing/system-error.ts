import { constants } from 'node:os'

const descriptions = {
  EACCES: 'permission denied',
  EBADF: 'bad file descriptor',
  EEXIST: 'file already exists',
  EINVAL: 'invalid argument',
  EIO: 'i/o error',
  EISDIR: 'illegal operation on a directory',
  ENAMETOOLONG: 'name too long',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  EPERM: 'operation not permitted',
} as const

export type SystemErrorCode = keyof typeof descriptions

/** An error as Node's own file system functions throw it. */
export function systemError(code: SystemErrorCode, syscall: string, path: string): Error {
  const error = new Error(`${code}: ${descriptions[code]}, ${syscall} '${path}'`)
  return Object.assign(error, { errno: -constants.errno[code], code, syscall, path })
}

/** Every call's answer once the simulated power is cut: the program under test has ended there. */
export class PowerLostError extends Error {
  readonly code = 'EIO'
  readonly syscall: string
  readonly path: string

  constructor(syscall: string, path: string) {
    super(`the power is off: ${syscall} '${path}'`)
    this.name = 'PowerLostError'
    this.syscall = syscall
    this.path = path
  }
}
