import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ProcessResult, runProcess } from '../kafka/run-process.ts'

/** Programs of Debian's, unpacked into a directory: nothing is installed, nothing is started. */
export interface UnpackedPackages {
  /** What is the root directory to those who install them. */
  readonly root: string
  /** What programs need to find their libraries, modules and each other. */
  readonly environment: Readonly<Record<string, string>>
}

/** The machine may not be Debian's, or without network; then tests are skipped and say why. */
export type PackagesAvailability =
  | { readonly available: true; readonly packages: UnpackedPackages }
  | { readonly available: false; readonly reason: string }

const repositoryRoot = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
const fetchTimeoutMs = 5 * 60_000

/**
 * Fetches packages with all that they need and this machine lacks, the first time, and takes them
 * from the cache (`.cache/debian`) afterwards. Needs no rights, but for a system that has never
 * fetched its lists of packages. Never rejects for something that the machine lacks.
 */
export async function debianPackages(names: readonly string[]): Promise<PackagesAvailability> {
  try {
    const release = readFileSync('/etc/os-release', 'utf8')
    const stamp = createHash('sha256')
      .update([release, ...names].join('\n'))
      .digest('hex')
    const root = join(repositoryRoot, '.cache', 'debian', `${names[0]}-${stamp.slice(0, 12)}`)
    if (!existsSync(root)) await fetchInto(root, names)
    return { available: true, packages: { root, environment: environmentOf(root) } }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { available: false, reason: error.message }
  }
}

/** A directory of its own is filled, which then takes its name: it is there whole or not at all. */
async function fetchInto(root: string, names: readonly string[]): Promise<void> {
  const work = `${root}.${process.pid}.tmp`
  const archives = join(work, 'archives')
  const unpacked = join(work, 'root')
  mkdirSync(join(archives, 'partial'), { recursive: true })
  mkdirSync(unpacked)
  try {
    await download(archives, names)
    for (const name of readdirSync(archives).filter((file) => file.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', join(archives, name), unpacked])
    }
    renameSync(unpacked, root)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function download(archives: string, names: readonly string[]): Promise<void> {
  const options = ['Debug::NoLocking=1', `Dir::Cache::archives=${archives}`]
  const args = ['install', '-y', '-q', '--download-only', '--no-install-recommends']
  const all = [...args, ...options.flatMap((option) => ['-o', option]), ...names]
  const first = await runProcess('apt-get', all, { timeoutMs: fetchTimeoutMs })
  if (first.exitCode === 0) return
  await run('apt-get', ['update', '-q'])
  await run('apt-get', all)
}

async function run(command: string, args: readonly string[]): Promise<ProcessResult> {
  const result = await runProcess(command, args, { timeoutMs: fetchTimeoutMs })
  if (result.exitCode === 0) return result
  const said = result.stderr.trim().split('\n').at(-1) ?? ''
  throw new Error(`${command} ${args[0]} exits with ${result.exitCode}: ${said}`)
}

function environmentOf(root: string): Readonly<Record<string, string>> {
  const lib = join(root, 'usr/lib')
  // A package of one program, linked statically, has none.
  const names = existsSync(lib) ? readdirSync(lib) : []
  const triplet = names.find((name) => name.endsWith('-linux-gnu'))
  const libraries = ['lib', 'usr/lib'].map((place) => join(root, place, triplet ?? ''))
  // Libraries that only programs of one package use have a directory of their own.
  const own = ['ceph', 'pulseaudio'].map((name) => join(root, 'usr/lib', triplet ?? '', name))
  const programs = ['usr/bin', 'usr/sbin'].map((place) => join(root, place))
  return {
    LD_LIBRARY_PATH: [...libraries, ...own].join(delimiter),
    PATH: [...programs, process.env['PATH'] ?? ''].join(delimiter),
    PYTHONPATH: join(root, 'usr/lib/python3/dist-packages'),
    PYTHONDONTWRITEBYTECODE: '1',
  }
}

/** Debian's own Python, for which its modules are made; there may be another one in the way. */
export function pythonOf({ root }: UnpackedPackages): string {
  const installed = '/usr/bin/python3'
  return existsSync(installed) ? installed : join(root, installed)
}

/** The arguments with which `setpriv` runs a program that ends when this process does. */
export function leashedArguments(
  { environment }: UnpackedPackages,
  program: string,
  args: readonly string[],
): readonly string[] {
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  return ['--pdeathsig', 'KILL', 'env', ...settings, program, ...args]
}

/** Runs one of the programs to its end. Rejects when it fails. */
export async function runUnpacked(
  packages: UnpackedPackages,
  program: string,
  args: readonly string[],
): Promise<void> {
  const result = await runProcess('setpriv', leashedArguments(packages, program, args), {
    timeoutMs: 60_000,
  })
  if (result.exitCode === 0) return
  throw new Error(`${program} exits with ${result.exitCode}:\n${result.stderr}${result.stdout}`)
}
