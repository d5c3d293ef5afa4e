// Makes docs/api, the reference of everything that the package `varve` exports, and in a folder of
// its own of what `@varve/backup` does, out of the doc comments. With --check, says instead whether
// what is there is what would be made.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const tools = dirname(fileURLToPath(import.meta.url))
const reference = join(tools, '..', 'docs', 'api')
const made = mkdtempSync(join(tmpdir(), 'varve-api-'))

try {
  generate('typedoc.json', made)
  generate('typedoc.backup.json', join(made, 'backup'))
  if (process.argv.includes('--check')) check()
  else replace()
} finally {
  rmSync(made, { recursive: true, force: true })
}

function generate(name, out) {
  const typedoc = join(tools, 'node_modules', 'typedoc', 'bin', 'typedoc')
  const options = join(tools, name)
  const { status } = spawnSync(process.execPath, [typedoc, '--options', options, '--out', out], {
    cwd: tools,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error(`typedoc failed with exit code ${status}`)
}

function replace() {
  rmSync(reference, { recursive: true, force: true })
  cpSync(made, reference, { recursive: true })
}

function check() {
  const there = filesIn(reference)
  const wanted = filesIn(made)
  const names = new Set([...there.keys(), ...wanted.keys()])
  const stale = [...names].filter((name) => there.get(name) !== wanted.get(name)).sort()
  if (stale.length === 0) return
  console.error(
    `docs/api is not what the sources say: run \`npm run api\`.\n  ${stale.join('\n  ')}`,
  )
  process.exitCode = 1
}

/** Contents by name. */
function filesIn(directory) {
  try {
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
    return new Map(
      entries
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name))
        .map((path) => [path.slice(directory.length + 1), readFileSync(path, 'utf8')]),
    )
  } catch (error) {
    if (error.code === 'ENOENT') return new Map()
    throw error
  }
}
