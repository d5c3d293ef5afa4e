import { basename } from 'node:path'
import { test } from 'vitest'
import { importsOf } from './import-graph.ts'
import { expectOnly, untestedAllowed } from './ratchets.ts'
import { isPackageSource, isTest, type SourceFile, typeScript } from './source-tree.ts'

test('every module of the packages with logic in it is named by a test', () => {
  const tests = typeScript.filter(({ path }) => isTest(path))
  const imported = new Set(tests.flatMap((file) => importsOf(file).map(({ target }) => target)))
  const names = new Set(tests.map(({ path }) => basename(path).replace(/\.(?:test|campaign)/, '')))
  const untested = typeScript
    .filter(({ path }) => isPackageSource(path) && !isReExports(path))
    .filter(hasLogic)
    .filter(({ path }) => !imported.has(path) && !names.has(basename(path)))
    .map(({ path }) => path)
  expectOnly(untested, untestedAllowed, 'write test/X.test.ts for src/X.ts')
})

test('tests that replace a module, or measure memory, have a process to themselves', () => {
  const config = typeScript.find(({ path }) => path === 'vitest.config.ts')?.text ?? ''
  const sharing = typeScript
    .filter(({ path }) => path.endsWith('.test.ts') && !config.includes(`'${path}'`))
    .filter(({ code }) => /\bvi\.(?:doM|m)ock\(|\bmemoryUsage\b/.test(code))
    .map(({ path }) => path)
  expectOnly(sharing, [], 'others run in the same process: name it in vitest.config.ts')
})

function isReExports(path: string): boolean {
  return /\/(?:index|files)\.ts$/.test(path)
}

/** Whether there is a body that decides or repeats something: types and constants need no test. */
function hasLogic({ code }: SourceFile): boolean {
  return /\b(?:if|for|while|switch)\s*\(|\?\?=|\s\?\s/.test(code)
}
