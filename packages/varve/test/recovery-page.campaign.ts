import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'

const page = readFileSync(join(import.meta.dirname, '../../../docs/recovery.md'), 'utf8')
const command = join(import.meta.dirname, '../bin/varve.js')
const compiled = pathToFileURL(join(import.meta.dirname, '../dist/index.js')).href

function blocksOf(language: string): string[] {
  const blocks = page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))
  return [...blocks].map(([, block = '']) => block)
}

test('the page on backup: its commands, and then its program, run as they stand there', () => {
  using temporary = makeTemporaryDirectory()
  const options = { cwd: temporary.path, timeout: 100_000, stdio: 'pipe' as const }
  const blocks = blocksOf('sh')
  expect(blocks.length).toBeGreaterThan(8)
  // As in a project that has it installed; a program, so that it can be told to end.
  const npx = `#!/bin/sh\nshift\nexec "${process.execPath}" "${command}" "$@"\n`
  mkdirSync(join(temporary.path, 'bin'))
  writeFileSync(join(temporary.path, 'bin/npx'), npx, { mode: 0o755 })
  const script = `set -eu\nPATH="$PWD/bin:$PATH"\n${blocks.join('\n')}`
  const output = execFileSync('sh', ['-c', script], options).toString()
  expect(output).toMatch(/^2 backups: .* read in /m)
  expect(output).toContain('all is sound')
  // What was read back: after the disaster, to the point before the nonsense, out of the renamed
  // copy, and out of the warm one.
  expect(output.match(/^(?:1000|2000|1500)$/gm)).toEqual(['1000', '2000', '1500', '2000'])
  const [program = ''] = blocksOf('ts')
  const path = join(temporary.path, 'program.mjs')
  writeFileSync(path, program.replace("'varve'", `'${compiled}'`))
  const printed = execFileSync(process.execPath, [path], options).toString()
  expect(printed).toMatch(/^\d{8}T\S+Z-[0-9a-f]{8} 0 \d+\n$/)
}, 120_000)
