import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

/** Of an installed package, as its manifest has it. */
export function versionOf(name: string): string {
  let directory = dirname(require.resolve(name))
  while (!isManifestOf(name, directory)) directory = dirname(directory)
  return manifestIn(directory).version
}

/** A package without types; who asks says what it is. */
export function requireUntyped(name: string): unknown {
  return require(name)
}

function isManifestOf(name: string, directory: string): boolean {
  return existsSync(join(directory, 'package.json')) && manifestIn(directory).name === name
}

function manifestIn(directory: string): { readonly name?: string; readonly version: string } {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
}
