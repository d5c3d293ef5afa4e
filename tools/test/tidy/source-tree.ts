import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type MaskedSource, maskSource } from './masked-source.ts'

export const root: string = join(import.meta.dirname, '../../..')

/** A text file of the repository. */
export interface SourceFile extends MaskedSource {
  /** From the root, with slashes. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
}

/** Everything under version control that is still there. */
export const paths: readonly string[] = execFileSync('git', ['ls-files', '-z'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(root, path)))

export const typeScript: readonly SourceFile[] = load((path) => path.endsWith('.ts'))
export const documents: readonly SourceFile[] = load((path) => path.endsWith('.md'))

/** Where the library's code is. */
export function isPackageSource(path: string): boolean {
  return /^packages\/[^/]+\/src\//.test(path)
}

export function isTest(path: string): boolean {
  return path.includes('/test/')
}

/** `path:line` of everything that a pattern finds in a text. */
export function findIn(file: SourceFile, text: string, pattern: RegExp): readonly string[] {
  const found: string[] = []
  for (const match of text.matchAll(new RegExp(pattern, `${pattern.flags.replace('g', '')}g`))) {
    const line = text.slice(0, match.index).split('\n').length
    found.push(`${file.path}:${line}`)
  }
  return found
}

function load(isWanted: (path: string) => boolean): SourceFile[] {
  return paths.filter(isWanted).map((path) => {
    const text = readFileSync(join(root, path), 'utf8')
    const isCode = path.endsWith('.ts')
    const masked = isCode ? maskSource(text) : { code: text, withStrings: text }
    return { path, text, lines: text.split('\n'), ...masked }
  })
}
