import { dirname, join } from 'node:path'
import { type SourceFile, typeScript } from './source-tree.ts'

export interface Import {
  readonly specifier: string
  /** The file that a relative one leads to; null for packages. */
  readonly target: string | null
  readonly names: readonly string[]
  readonly isTypeOnly: boolean
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?([^'"`;]*?)\s*from\s*'([^']+)'|\bimport\(\s*'([^']+)'|(?:^|\n)import\s+'([^']+)'/g

/** What a file imports and re-exports. */
export function importsOf(file: SourceFile): readonly Import[] {
  const found: Import[] = []
  for (const match of file.withStrings.matchAll(importPattern)) {
    const specifier = match[3] ?? match[4] ?? match[5] ?? ''
    const isRelative = specifier.startsWith('.')
    const path = isRelative ? join(dirname(file.path), specifier) : null
    const target = path?.replace(/\.js$/, '.ts') ?? null
    found.push({
      specifier,
      target,
      names: namesIn(match[2] ?? ''),
      isTypeOnly: match[1] !== undefined,
    })
  }
  return found
}

/** The names between the braces of an import or export, as they are called where they come from. */
function namesIn(clause: string): readonly string[] {
  const inner = /\{([\s\S]*)\}/.exec(clause)?.[1] ?? ''
  return inner
    .split(',')
    .map(
      (name) =>
        name
          .trim()
          .replace(/^type\s+/, '')
          .split(/\s+as\s+/)[0] ?? '',
    )
    .filter((name) => name !== '')
}

/** Every cycle of imports among files of which one is at run time, as a path. */
export function importCycles(files: readonly SourceFile[]): readonly string[] {
  const edges = new Map(
    files.map((file) => [
      file.path,
      importsOf(file).flatMap(({ target, isTypeOnly }) =>
        target === null || isTypeOnly ? [] : [target],
      ),
    ]),
  )
  const state = new Map<string, 'open' | 'done'>()
  const trail: string[] = []
  const cycles: string[] = []
  const visit = (path: string): void => {
    if (state.get(path) === 'done') return
    if (state.get(path) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '))
      return
    }
    state.set(path, 'open')
    trail.push(path)
    for (const target of edges.get(path) ?? []) visit(target)
    trail.pop()
    state.set(path, 'done')
  }
  for (const path of edges.keys()) visit(path)
  return cycles
}

/** All files that anything imports, by path. */
export function importedFiles(): ReadonlySet<string> {
  return new Set(typeScript.flatMap((file) => importsOf(file).map(({ target }) => target ?? '')))
}
