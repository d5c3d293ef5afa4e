import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileJava } from './java-classes.ts'
import { type ProcessResult, runProcess } from './run-process.ts'

/** The lines of Apache Kafka that Varve is tested against. */
export type KafkaLine = '3.9' | '4'

/**
 * The newest release of each line that Maven Central holds in full (broker and tools). Exact, so
 * that a test run means the same tomorrow.
 */
export const pinnedKafkaVersions: Readonly<Record<KafkaLine, string>> = Object.freeze({
  '3.9': '3.9.2',
  '4': '4.3.1',
})

/** A released Apache Kafka, ready to be run. */
export interface KafkaRelease {
  readonly line: KafkaLine
  readonly version: string
  /** Path of the `java` program. */
  readonly java: string
  /** Kafka's jars and our own small programs for them. */
  readonly classpath: string
}

/** Java, Maven or the jars may not be there; then tests are skipped and say why. */
export type KafkaAvailability =
  | { readonly available: true; readonly release: KafkaRelease }
  | { readonly available: false; readonly reason: string }

export interface FetchOptions {
  /** Where releases are kept. Default: `.cache/kafka` at the root of the repository. */
  readonly cacheDirectory?: string
  /** How long Maven may take. Default: five minutes. */
  readonly timeoutMs?: number
}

const repositoryRoot = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
const defaultFetchTimeoutMs = 5 * 60_000

/** Kafka 4's broker needs Java 17, and so do our own programs. */
const javaMajorMin = 17

/**
 * A release by its line, fetched from Maven Central the first time (about 50 MB) and taken from the
 * cache afterwards. Never rejects for something that the machine lacks.
 */
export async function kafkaRelease(
  line: KafkaLine,
  options: FetchOptions = {},
): Promise<KafkaAvailability> {
  const version = pinnedKafkaVersions[line]
  const cache = options.cacheDirectory ?? join(repositoryRoot, '.cache', 'kafka')
  const sources = join(repositoryRoot, 'tools', 'java')
  return makeReady({ line, pom: pomOf(version), sources, directory: join(cache, version) }, options)
}

/** Kafka Streams of the same version, and our programs for it: about 80 MB more. */
export async function kafkaStreams(
  line: KafkaLine,
  options: FetchOptions = {},
): Promise<KafkaAvailability> {
  const version = pinnedKafkaVersions[line]
  const cache = options.cacheDirectory ?? join(repositoryRoot, '.cache', 'kafka')
  const sources = join(repositoryRoot, 'tools', 'java', 'streams')
  const directory = join(cache, version, 'streams')
  return makeReady({ line, pom: streamsPomOf(version), sources, directory }, options)
}

/** Jars and programs that belong together. */
interface Wanted {
  readonly line: KafkaLine
  readonly pom: string
  /** Directory of our Java programs. */
  readonly sources: string
  /** Where both are kept. */
  readonly directory: string
}

async function makeReady(
  { line, pom, sources, directory }: Wanted,
  { timeoutMs = defaultFetchTimeoutMs }: FetchOptions,
): Promise<KafkaAvailability> {
  const version = pinnedKafkaVersions[line]
  try {
    const { java, javac } = await findJava()
    const jars = await fetchJars(version, pom, directory, timeoutMs)
    const classes = await compileJava({ javac, jars, sources, cache: directory })
    return {
      available: true,
      release: { line, version, java, classpath: classes + delimiter + jars },
    }
  } catch (error) {
    if (!(error instanceof MissingToolError)) throw error
    return { available: false, reason: error.message }
  }
}

/**
 * Something that the machine lacks; the message is the reason that tests give for being skipped.
 */
class MissingToolError extends Error {
  constructor(message: string) {
    super(message)
    this.name = new.target.name
  }
}

async function findJava(): Promise<{ readonly java: string; readonly javac: string }> {
  const home = process.env['JAVA_HOME']
  const named = (program: string): string => {
    const path = home === undefined ? '' : join(home, 'bin', program)
    return existsSync(path) ? path : program
  }
  const [java, javac] = [named('java'), named('javac')]
  const version = await runTool(java, ['-version'], 'Java')
  const major = /version "(\d+)/.exec(version.stderr)?.[1]
  if (major === undefined || Number(major) < javaMajorMin) {
    throw new MissingToolError(
      `Java ${javaMajorMin} or newer is needed; ${java} is ${major ?? 'unknown'}`,
    )
  }
  await runTool(javac, ['-version'], 'the Java compiler')
  return { java, javac }
}

async function runTool(
  command: string,
  args: readonly string[],
  what: string,
): Promise<ProcessResult> {
  const result = await runProcess(command, args, { timeoutMs: 60_000 }).catch((error: Error) => {
    throw new MissingToolError(`${what} cannot be run: ${error.message}`)
  })
  if (result.exitCode === 0) return result
  throw new MissingToolError(`${what} cannot be run: ${command} exits with ${result.exitCode}`)
}

/** The jars of a release, as a class path. */
async function fetchJars(
  version: string,
  pom: string,
  cache: string,
  timeoutMs: number,
): Promise<string> {
  const stamp = createHash('sha256').update(pom).digest('hex').slice(0, 12)
  const directory = join(cache, `jars-${stamp}`)
  if (!existsSync(directory)) await downloadJars(version, pom, directory, timeoutMs)
  const jars = readdirSync(directory).filter((name) => name.endsWith('.jar'))
  return jars
    .sort()
    .map((name) => join(directory, name))
    .join(delimiter)
}

/**
 * Maven fills a directory of its own, which then takes its name: it is there whole or not at all.
 */
async function downloadJars(
  version: string,
  pom: string,
  directory: string,
  timeoutMs: number,
): Promise<void> {
  const work = `${directory}.${process.pid}.tmp`
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  try {
    writeFileSync(join(work, 'pom.xml'), pom)
    const jars = join(work, 'jars')
    await runMaven([`-DoutputDirectory=${jars}`, '-f', join(work, 'pom.xml')], timeoutMs, version)
    if (!existsSync(directory)) renameSync(jars, directory)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function runMaven(
  args: readonly string[],
  timeoutMs: number,
  version: string,
): Promise<void> {
  const copyDependencies =
    'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
  const options = [
    '-B',
    '-q',
    '-ntp',
    '--strict-checksums',
    copyDependencies,
    '-DincludeScope=runtime',
  ]
  const result = await runProcess('mvn', [...options, ...args], { timeoutMs }).catch(
    (error: Error) => {
      throw new MissingToolError(`Maven cannot be run: ${error.message}`)
    },
  )
  if (result.exitCode === 0) return
  const line = `${result.stdout}\n${result.stderr}`
    .split('\n')
    .find((text) => text.includes('[ERROR]'))
  const why = result.timedOut ? `nothing after ${timeoutMs / 1000} s` : (line ?? 'no reason given')
  throw new MissingToolError(`Apache Kafka ${version} cannot be fetched with Maven: ${why.trim()}`)
}

/** Broker and tools of one version, without Kafka Connect, with a logger that prints to stderr. */
function pomOf(version: string): string {
  const exclusion = (group: string, artifact: string): string =>
    `<exclusion><groupId>${group}</groupId><artifactId>${artifact}</artifactId></exclusion>`
  const exclusions =
    exclusion('org.apache.kafka', 'connect-runtime') + exclusion('org.slf4j', 'slf4j-reload4j')
  return projectWith([
    dependency(kafkaArtifact('kafka_2.13', version)),
    dependency(kafkaArtifact('kafka-tools', version), `<exclusions>${exclusions}</exclusions>`),
  ])
}

function streamsPomOf(version: string): string {
  return projectWith([dependency(kafkaArtifact('kafka-streams', version))])
}

function dependency(name: string, rest = ''): string {
  return `<dependency>${name}${rest}</dependency>`
}

function kafkaArtifact(artifact: string, version: string): string {
  return `<groupId>org.apache.kafka</groupId><artifactId>${artifact}</artifactId><version>${version}</version>`
}

function projectWith(dependencies: readonly string[]): string {
  const logger =
    '<groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>'
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>varve</groupId><artifactId>kafka-interoperability</artifactId><version>1</version>',
    '<packaging>pom</packaging><dependencies>',
    ...dependencies,
    dependency(logger),
    '</dependencies></project>',
    '',
  ].join('\n')
}
