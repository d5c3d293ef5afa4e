// Sets the workspace up on a machine that has only Node, npm, git and a C++ toolchain: installs the
// dependencies from the lock file (building the native ones) and compiles the packages. Plain
// JavaScript without dependencies, since it runs before anything is installed. Quick when nothing
// has changed: a stamp remembers what was installed, and the compiler rebuilds only what changed.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stampPath = join(root, 'node_modules', '.varve-setup')

requireNode()
const stamp = installStamp()
const installed = existsSync(stampPath) ? readFileSync(stampPath, 'utf8') : ''
if (installed !== stamp) {
  install(builtFor(installed))
  mkdirSync(dirname(stampPath), { recursive: true })
  writeFileSync(stampPath, stamp)
}
build()

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Varve needs Node.js 20.19 or newer; this is ${process.version}.`)
  }
}

/**
 * What the installed dependencies depend on: every manifest and the lock file, as a hash, and what
 * native ones are built for.
 */
function installStamp() {
  const hash = createHash('sha256')
  const manifests = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml']
  for (const name of readdirSync(join(root, 'packages')).sort()) {
    manifests.push(join('packages', name, 'package.json'))
  }
  manifests.push(join('benchmarks', 'package.json'), join('tools', 'package.json'))
  for (const manifest of manifests) {
    const path = join(root, manifest)
    if (existsSync(path)) hash.update(`${manifest}\n`).update(readFileSync(path))
  }
  return `${hash.digest('hex')}\n${process.platform} ${process.arch} ${process.versions.modules}\n`
}

/** What the native dependencies are built for that are there, by a stamp; undefined: none are. */
function builtFor(text) {
  return text.split('\n')[1] || undefined
}

function install(oldBuild) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  // npm sets npm_config_* for the scripts it runs; what it says of itself must not steer pnpm.
  const env = { ...process.env, npm_config_build_from_source: 'true' }
  for (const name of Object.keys(env)) {
    if (/^npm_(config_(user_agent|local_prefix|noproxy)|package_|lifecycle_|execpath)/.test(name)) {
      delete env[name]
    }
  }
  // node-gyp downloads Node's headers unless it is told where they lie; beside many a Node they
  // are installed already, and with them the native packages build without a network.
  const prefix = dirname(dirname(process.execPath))
  if (existsSync(join(prefix, 'include', 'node', 'node_api.h'))) env.npm_config_nodedir = prefix
  const frozen = existsSync(join(root, 'pnpm-lock.yaml')) ? ['--frozen-lockfile'] : []
  console.log(`Installing dependencies with ${packageManager} (first time: about a minute) …`)
  run('npm', ['exec', '--yes', '--', packageManager, 'install', ...frozen], env)
  if (oldBuild === undefined || oldBuild === builtFor(stamp)) return
  // What is there already is not built again by an installation.
  console.log(`Building native dependencies for Node.js ${process.version} …`)
  run('npm', ['exec', '--yes', '--', packageManager, 'rebuild', '--recursive'], env)
}

function build() {
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], process.env)
  run(process.execPath, [join(root, 'tools', 'bundle.mjs')], process.env)
}

function run(command, args, env) {
  const windows = process.platform === 'win32'
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    env,
    stdio: 'inherit',
    shell: windows,
  })
  if (error !== undefined) fail(`cannot run ${command}: ${error.message}`)
  if (status !== 0) fail(`${command} ${args.join(' ')} failed with exit code ${status}.`)
}

function fail(message) {
  console.error(`setup: ${message}`)
  process.exit(1)
}
