import { expect } from 'vitest'
import type { File, FileSystem } from '../src/storage/file-system.ts'

/** A file system under test, with a directory in it that is empty. */
export interface FileSystemFixture {
  readonly fs: FileSystem
  readonly directory: string
  remove(): void
}

export interface Context {
  readonly fs: FileSystem
  readonly at: (path: string) => string
  readonly put: (path: string, text: string) => void
  readonly textAt: (path: string) => string
  readonly names: (path?: string) => string[]
}

export function contextOf({ fs, directory }: FileSystemFixture): Context {
  const at = (path: string): string => (path === '' ? directory : `${directory}/${path}`)
  const put = (path: string, text: string): void => {
    const file = fs.open(at(path), 'replace')
    file.writeSync(Buffer.from(text), 0)
    file.close()
  }
  const textAt = (path: string): string => {
    const file = fs.open(at(path), 'read')
    const text = textOf(file)
    file.close()
    return text
  }
  const names = (path = ''): string[] => [...fs.list(at(path))].sort()
  return { fs, at, put, textAt, names }
}

export function textOf(file: File): string {
  const bytes = Buffer.alloc(file.sizeBytes())
  expect(file.readSync(bytes, 0)).toBe(bytes.length)
  return bytes.toString('latin1')
}

/** The code that a call fails with, 'none' when it succeeds. */
export async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call()
    return 'none'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}
