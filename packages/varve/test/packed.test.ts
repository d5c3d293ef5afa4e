import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)
const packages = fileURLToPath(new URL('../..', import.meta.url))
const app = mkdtempSync(join(tmpdir(), 'varve-packed-'))

const program = `
import { once } from 'node:events'
import { get } from 'node:http'
import { text } from 'node:stream/consumers'
import { openDataDirectory } from 'varve'
import { startServer } from 'varve/server'

const varve = await openDataDirectory('data')
await varve.createTopic('orders', { compressionType: 'lz4' })
const producer = varve.producer()
await producer.send('orders', { value: 'first' })
await producer.close()
const http = { host: '127.0.0.1', port: 0 }
const server = await startServer({ varve, port: 0, http, ui: {} })
const [host, port] = server.httpAddress.split(':')
const [page] = await once(get({ host, port, path: '/ui/' }), 'response')
const title = /<title>(.*)<.title>/.exec(await text(page))?.[1]
console.log(JSON.stringify({ status: page.statusCode, title }))
await server.close()
await varve.close()
`

// As somebody has it who installed what is published: nothing of the workspace but what others
// have made, which is linked.
beforeAll(async () => {
  const names = readdirSync(packages).filter((name) =>
    existsSync(join(packages, name, 'package.json')),
  )
  const sources = names.map((name) => join(packages, name))
  const options = ['--ignore-scripts', '--pack-destination', app, '--loglevel', 'error']
  await run('npm', ['pack', ...options, ...sources], { cwd: app })
  for (const name of names) {
    const isMain = name === 'varve'
    const home = join(app, 'node_modules', ...(isMain ? [name] : ['@varve', name]))
    mkdirSync(home, { recursive: true })
    const archive = join(app, `${isMain ? '' : 'varve-'}${name}-0.1.0.tgz`)
    await run('tar', ['-xzf', archive, '-C', home, '--strip-components=1'])
    linkOthers(join(packages, name, 'node_modules'), join(home, 'node_modules'))
  }
}, 120_000)

/** Links what a package depends on, but for the packages of this workspace. */
function linkOthers(from: string, to: string): void {
  for (const entry of readdirSync(from)) {
    if (entry.startsWith('.') || entry === '@varve') continue
    const scoped = entry.startsWith('@') ? readdirSync(join(from, entry)) : null
    for (const name of scoped?.map((each) => join(entry, each)) ?? [entry]) {
      mkdirSync(dirname(join(to, name)), { recursive: true })
      symlinkSync(join(from, name), join(to, name))
    }
  }
}

function varve(...words: string[]) {
  return run(process.execPath, [join(app, 'node_modules/varve/bin/varve.js'), ...words], {
    cwd: app,
  })
}

test('what is packed holds all that a program and the command need', async () => {
  onTestFinished(() => rmSync(app, { recursive: true, force: true }))
  writeFileSync(join(app, 'program.mjs'), program)
  const { stdout } = await run(process.execPath, ['program.mjs'], { cwd: app })
  expect(JSON.parse(stdout)).toEqual({ status: 200, title: 'Varve' })
  expect(readdirSync(join(app, 'node_modules/varve/dist'))).not.toContain('.tsbuildinfo')
  expect((await varve('--version')).stdout).toBe('0.1.0\n')
  const consumed = await varve('consume', 'orders', '--data', 'data', '--json')
  expect(consumed.stdout).toContain('first')
  const verified = await varve('verify', 'data')
  expect(verified.stdout).not.toBe('')
}, 60_000)
