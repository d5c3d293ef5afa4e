import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { javaArguments } from '../kafka/java-command.ts'
import { type KafkaLine, kafkaRelease } from '../kafka/kafka-release.ts'
import { debianPackages } from '../s3/debian-packages.ts'
import {
  cachedDirectory,
  clientSources,
  filesOf,
  install,
  MissingClientError,
} from './client-cache.ts'
import type { ClientAvailability, ClientProgram } from './client-program.ts'

export type ClientName =
  | 'kafka-python'
  | 'kafka-python-old'
  | 'confluent-python'
  | 'kafkajs'
  | 'platformatic'
  | 'confluent-js'
  | 'franz-go'
  | 'java-3.9'
  | 'java-4'
  | 'kcat'
  | 'rdkafka-performance'

/**
 * Client programs by name. Those behind the common verbs (`tools/clients`, `TriedClient.java`) take
 * one JSON argument; the others are what they are elsewhere.
 */
const clients: Readonly<Record<ClientName, () => Promise<ClientProgram>>> = {
  'kafka-python': () => pythonClient('kafka_python.py', 'requirements', '3.0.12'),
  'kafka-python-old': () => pythonClient('kafka_python.py', 'requirements-old', '2.0.2'),
  'confluent-python': () => pythonClient('confluent.py', 'requirements', '2.16.1'),
  kafkajs: () => nodeClient('kafkajs.mjs', 'js', '2.2.4'),
  platformatic: () => nodeClient('platformatic.mjs', 'js', '1.35.0'),
  'confluent-js': () => nodeClient('confluent-js.mjs', 'js-confluent', '1.10.1'),
  'franz-go': goClient,
  'java-3.9': () => javaClient('3.9'),
  'java-4': () => javaClient('4'),
  kcat: () => debianClient('kcat'),
  'rdkafka-performance': () => debianClient('rdkafka_performance'),
}

export const clientNames: readonly ClientName[] = Object.keys(clients) as ClientName[]

/** Fetches a client, the first time; never rejects for something that the machine lacks. */
export async function triedClient(name: ClientName): Promise<ClientAvailability> {
  return await availabilityOf(clients[name])
}

async function availabilityOf(make: () => Promise<ClientProgram>): Promise<ClientAvailability> {
  try {
    return { available: true, program: await make() }
  } catch (error) {
    if (!(error instanceof MissingClientError)) throw error
    return { available: false, reason: error.message }
  }
}

/** Packages lie in a directory of their own, which Python is told of: no environment is changed. */
async function pythonClient(
  program: string,
  requirements: string,
  version: string,
): Promise<ClientProgram> {
  const sources = join(clientSources, 'python')
  const wanted = join(sources, `${requirements}.txt`)
  const packages = await cachedDirectory(`python-${requirements}`, [wanted], async (directory) => {
    const options = ['--quiet', '--disable-pip-version-check', '--target', directory]
    await install('python3', ['-m', 'pip', 'install', ...options, '-r', wanted])
  })
  const environment = { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' }
  return { command: 'python3', args: [join(sources, program)], environment, version }
}

/** Dynamic linking: the other way downloads sources of what Debian has. */
const confluentLinking = { CKJS_LINKING: 'dynamic' }

async function nodeClient(
  program: string,
  directoryName: string,
  version: string,
): Promise<ClientProgram> {
  const sources = join(clientSources, directoryName)
  const manifests = filesOf(sources, /^package(?:-lock)?\.json$/)
  const modules = await cachedDirectory(directoryName, manifests, async (directory) => {
    for (const name of ['package.json', 'package-lock.json']) {
      copyFileSync(join(sources, name), join(directory, name))
    }
    const options = { cwd: directory, environment: confluentLinking }
    await install('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], options)
  })
  const environment = { VARVE_CLIENT_MODULES: modules }
  const args = [join(clientSources, 'js', program)]
  return { command: process.execPath, args, environment, version }
}

async function goClient(): Promise<ClientProgram> {
  const sources = join(clientSources, 'go')
  const files = filesOf(sources, /\.(?:go|mod|sum)$/)
  const built = await cachedDirectory('go', files, async (directory) => {
    const args = ['build', '-o', join(directory, 'client'), '.']
    await install('go', args, { cwd: sources, environment: { GOFLAGS: '-mod=readonly' } })
  })
  return { command: join(built, 'client'), args: [], environment: {}, version: '1.20.7' }
}

async function javaClient(line: KafkaLine): Promise<ClientProgram> {
  const found = await kafkaRelease(line)
  if (!found.available) throw new MissingClientError(found.reason)
  const { release } = found
  const args = javaArguments(release, 'TriedClient', [])
  return { command: release.java, args, environment: {}, version: release.version }
}

/** librdkafka's own measuring program lies among the examples of its package, as a source. */
async function debianClient(name: 'kcat' | 'rdkafka_performance'): Promise<ClientProgram> {
  const debian = await debianLibrdkafka()
  if (name === 'kcat') {
    const command = debian.placeOf('usr/bin/kcat')
    return { command, args: [], environment: debian.environment, version: '1.7.1' }
  }
  const source = debian.placeOf('usr/share/doc/librdkafka-dev/examples/rdkafka_performance.c')
  return await compiled(debian, name, source)
}

/** Fetches and compiles the program that loads brokers, the first time; see `load.c`. */
export async function loadProgram(): Promise<ClientAvailability> {
  return await availabilityOf(async () => {
    return await compiled(await debianLibrdkafka(), 'load', join(clientSources, 'c', 'load.c'))
  })
}

interface DebianLibrdkafka {
  readonly environment: Readonly<Record<string, string>>
  /** What this machine has already was not fetched. */
  placeOf(path: string): string
}

async function debianLibrdkafka(): Promise<DebianLibrdkafka> {
  const found = await debianPackages(['kcat', 'librdkafka-dev'])
  if (!found.available) throw new MissingClientError(found.reason)
  const { root, environment } = found.packages
  const placeOf = (path: string): string => {
    const place = [join(root, path), join('/', path)].find(existsSync)
    if (place !== undefined) return place
    throw new MissingClientError(`there is no ${path}, neither in ${root} nor on this machine`)
  }
  return { environment, placeOf }
}

/** A program in C that stands on librdkafka. */
async function compiled(
  { environment, placeOf }: DebianLibrdkafka,
  name: string,
  source: string,
): Promise<ClientProgram> {
  const privateHeaders = join(clientSources, 'c', 'src')
  const sources = [source, ...filesOf(privateHeaders, /\.h$/)]
  const built = await cachedDirectory(name.replace('_', '-'), sources, async (directory) => {
    const libraries = (environment['LD_LIBRARY_PATH'] ?? '').split(':')
    const places = libraries.flatMap((path) => [`-L${path}`, `-Wl,-rpath-link,${path}`])
    const include = [`-I${privateHeaders}`, `-I${placeOf('usr/include/librdkafka')}`]
    const output = ['-o', join(directory, name)]
    const linked = ['-lrdkafka', '-lm', '-lpthread']
    await install('gcc', ['-O2', '-w', ...include, source, ...output, ...places, ...linked])
  })
  return { command: join(built, name), args: [], environment, version: '2.0.2' }
}
