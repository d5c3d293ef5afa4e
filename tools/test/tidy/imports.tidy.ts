import { expect, test } from 'vitest'
import { importCycles, importedFiles, importsOf } from './import-graph.ts'
import { expectOnly, unusedExportsAllowed } from './ratchets.ts'
import { isPackageSource, isTest, type SourceFile, typeScript } from './source-tree.ts'

/** What each package may import besides itself, Node's own modules and what its manifest names. */
const layers: Readonly<Record<string, readonly string[]>> = {
  record: [],
  log: ['@varve/record'],
  cleaner: ['@varve/record', '@varve/log'],
  backup: ['@varve/record', '@varve/log'],
  broker: ['@varve/record', '@varve/log', '@varve/cleaner', '@varve/backup'],
  bench: ['@varve/record', '@varve/log', '@varve/cleaner', '@varve/backup', '@varve/broker'],
  server: ['@varve/record', '@varve/log', '@varve/cleaner', '@varve/backup', '@varve/broker'],
  cli: [
    '@varve/record',
    '@varve/log',
    '@varve/cleaner',
    '@varve/backup',
    '@varve/broker',
    '@varve/bench',
    '@varve/server',
  ],
  varve: [
    '@varve/record',
    '@varve/log',
    '@varve/backup',
    '@varve/broker',
    '@varve/server',
    '@varve/cli',
  ],
}

/** The folders of the engine, each standing on those before it; the files beside them on all. */
const logFolders = [
  'storage',
  'base',
  'format',
  'producers',
  'segments',
  'read',
  'append',
  'recovery',
  'verify',
  'repair',
]

/** Those of the backup package, likewise. */
const backupFolders = [
  'base',
  'target',
  'format',
  'keys',
  'repository',
  'source',
  'taking',
  'reading',
  'verify',
  'pruning',
  'restoring',
  'healing',
  'replaying',
  'mirroring',
  'exporting',
  'scheduling',
  'drilling',
  'measuring',
]

/** Those of the server, likewise. */
const serverFolders = [
  'protocol',
  'base',
  'properties',
  'security',
  'net',
  'producing',
  'fetching',
  'administration',
  'quotas',
  'groups',
  'transactions',
  'handlers',
  'http',
  'ui',
]

const ordered: Readonly<Record<string, readonly string[]>> = {
  log: logFolders,
  backup: backupFolders,
  server: serverFolders,
}

const sources = typeScript.filter(({ path }) => isPackageSource(path))

/** Files that are run or named from outside: by Node, by package manifests, by Vitest. */
function isEntry(path: string): boolean {
  return (
    /\.(?:test|campaign|clients|tidy|config|bench|s3|ui)\.ts$/.test(path) ||
    /^packages\/[^/]+\/src\/(?:index|files|pacing|serving|main|testing\/index)\.ts$/.test(path) ||
    entries.has(path)
  )
}

/** Programs, which a command or another program starts by their path. */
const entries: ReadonlySet<string> = new Set([
  'benchmarks/src/report-page.ts',
  'benchmarks/src/run.ts',
  'packages/varve/src/server.ts',
  'tools/src/demo.ts',
  'tools/src/demo-writer.ts',
  'tools/src/index.ts',
  'tools/test/clients/fetch-clients.ts',
  'tools/test/kafka-interop/fetch-beside.ts',
  'tools/test/kafka-interop/fetch-kafka.ts',
  'tools/test/s3/start-servers.ts',
])

test('no package imports from one above it', () => {
  const wrong = sources.flatMap((file) =>
    importsOf(file)
      .filter(({ specifier }) => specifier.startsWith('@varve/') || specifier === 'varve')
      .filter(({ specifier }) => {
        const target = specifier.split('/').slice(0, 2).join('/')
        return !layers[file.path.split('/')[1] ?? '']?.includes(target)
      })
      .map(({ specifier }) => `${file.path}: ${specifier}`),
  )
  expect(wrong, 'record <- log <- cli <- varve').toEqual([])
})

test.each(Object.entries(ordered))('no folder of %s imports from one above it', (name, folders) => {
  const root = `packages/${name}/src/`
  const folderOf = (path: string | null): string | undefined =>
    path?.startsWith(root) ? /^([^/]+)\//.exec(path.slice(root.length))?.[1] : undefined
  const rankOf = (path: string | null): number => {
    const folder = folderOf(path)
    return folder === undefined ? folders.length : folders.indexOf(folder)
  }
  const own = sources.filter(({ path }) => path.startsWith(root) && folderOf(path) !== 'testing')
  const wrong = own.flatMap((file) =>
    importsOf(file)
      .filter(({ target }) => target !== null && rankOf(target) > rankOf(file.path))
      .map(({ specifier }) => `${file.path}: ${specifier}`),
  )
  expect(wrong, folders.join(' <- ')).toEqual([])
  const unknown = own.filter(({ path }) => rankOf(path) < 0).map(({ path }) => path)
  expect(unknown, 'folders that are not in the order').toEqual([])
})

test('the record package does no I/O', () => {
  const io = /^node:(?:fs|net|http|https|child_process|worker_threads|dgram)\b/
  const wrong = sources
    .filter(({ path }) => path.startsWith('packages/record/'))
    .filter((file) => importsOf(file).some(({ specifier }) => io.test(specifier)))
  expect(wrong.map(({ path }) => path)).toEqual([])
})

test('no source reaches into another package by a path', () => {
  const wrong = sources.flatMap((file) => {
    const own = file.path.split('/').slice(0, 3).join('/')
    return importsOf(file)
      .filter(({ target }) => target !== null && !target.startsWith(`${own}/`))
      .map(({ specifier }) => `${file.path}: ${specifier}`)
  })
  expect(wrong, 'import the package by its name').toEqual([])
})

test('files do not import each other in circles', () => {
  expect(importCycles(typeScript), 'move what both need to a third file').toEqual([])
})

test('every file is used', () => {
  const imported = importedFiles()
  const dead = typeScript
    .filter(({ path }) => !isEntry(path) && !imported.has(path))
    // Started in a process or thread of their own, by their compiled name.
    .filter(({ path }) => !isNamed(path.replace(/^.*\//, '').replace(/\.ts$/, '.js')))
  expect(dead.map(({ path }) => path)).toEqual([])
})

test('every exported name is used by another file', () => {
  const words = new Map(typeScript.map((file) => [file.path, wordsOf(file)]))
  const unused = typeScript
    .filter(({ path }) => isPackageSource(path) && !isEntry(path))
    .flatMap((file) =>
      exportedNames(file)
        .filter((name) => ![...words].some(([path, set]) => path !== file.path && set.has(name)))
        .filter((name) => usesOf(file, name) < 2)
        .map((name) => `${file.path} ${name}`),
    )
  expectOnly(unused, unusedExportsAllowed, 'remove what nothing uses')
})

/** The long form of a test may be that test with larger numbers. */
function isLongFormOf(path: string, specifier: string): boolean {
  return path.endsWith(`${specifier.replace(/^\.|\.test\.ts$/g, '')}.campaign.ts`)
}

test('no test imports a test, but its own long form', () => {
  const wrong = typeScript
    .filter(({ path }) => isTest(path))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ specifier }) => /\.(?:test|campaign|tidy)\.ts$/.test(specifier))
        .filter(({ specifier }) => !isLongFormOf(file.path, specifier))
        .map(({ specifier }) => `${file.path}: ${specifier}`),
    )
  expect(wrong).toEqual([])
})

function exportedNames(file: SourceFile): readonly string[] {
  const pattern =
    /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|class|const|let|interface|type)\s+(\w+)/gm
  return [...file.code.matchAll(pattern)].map((match) => match[1] ?? '')
}

function wordsOf(file: SourceFile): ReadonlySet<string> {
  return new Set(file.code.match(/[A-Za-z_$][\w$]*/g) ?? [])
}

function usesOf(file: SourceFile, name: string): number {
  return (file.code.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length
}

function isNamed(name: string): boolean {
  return typeScript.some(({ withStrings }) => withStrings.includes(name))
}
