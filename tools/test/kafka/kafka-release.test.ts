import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { kafkaRelease, pinnedKafkaVersions } from '../../src/kafka/kafka-release.ts'

let root = ''
const programs = (): string => join(root, 'bin')
const cacheDirectory = (): string => join(root, 'cache')

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'varve-kafka-release-'))
  mkdirSync(programs())
  vi.stubEnv('JAVA_HOME', join(root, 'no-java-home'))
  vi.stubEnv('PATH', [programs(), '/bin', '/usr/bin'].join(delimiter))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true, force: true })
})

test('without Java the release is not available, and the reason names Java', async () => {
  vi.stubEnv('PATH', programs())
  expect(await kafkaRelease('4', { cacheDirectory: cacheDirectory() })).toEqual({
    available: false,
    reason: 'Java cannot be run: spawn java ENOENT',
  })
})

test('a Java that is too old is named with its version', async () => {
  addProgram('java', `echo 'openjdk version "11.0.2" 2019-01-15' >&2`)
  addProgram('javac', 'exit 0')
  expect(await kafkaRelease('4', { cacheDirectory: cacheDirectory() })).toEqual({
    available: false,
    reason: 'Java 17 or newer is needed; java is 11',
  })
})

test('what Maven complains of is the reason, and the cache is left without a half release', async () => {
  addJava()
  addProgram('mvn', `echo '[ERROR] Could not find artifact kafka in central'; exit 1`)
  expect(await kafkaRelease('4', { cacheDirectory: cacheDirectory() })).toEqual({
    available: false,
    reason:
      `Apache Kafka ${pinnedKafkaVersions['4']} cannot be fetched with Maven: ` +
      '[ERROR] Could not find artifact kafka in central',
  })
  expect(readdirSync(join(cacheDirectory(), pinnedKafkaVersions['4']))).toEqual([])
})

test('a Maven that hangs is given up', async () => {
  addJava()
  addProgram('mvn', 'exec sleep 60')
  const availability = await kafkaRelease('4', {
    cacheDirectory: cacheDirectory(),
    timeoutMs: 300,
  })
  expect(availability).toMatchObject({ available: false })
  expect(JSON.stringify(availability)).toContain('nothing after 0.3 s')
})

test('a release is fetched once and then found in the cache', async () => {
  addJava()
  addProgram(
    'mvn',
    `for a in "$@"; do case "$a" in -DoutputDirectory=*) d="\${a#*=}"; mkdir -p "$d"; touch "$d/kafka.jar";; esac; done`,
  )
  const first = await kafkaRelease('3.9', { cacheDirectory: cacheDirectory() })
  expect(first).toMatchObject({ available: true, release: { line: '3.9', version: '3.9.2' } })
  rmSync(join(programs(), 'mvn'))
  expect(await kafkaRelease('3.9', { cacheDirectory: cacheDirectory() })).toEqual(first)
})

function addJava(): void {
  addProgram('java', `echo 'openjdk version "17.0.15" 2025-04-15' >&2`)
  addProgram('javac', 'exit 0')
}

function addProgram(name: string, body: string): void {
  const path = join(programs(), name)
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
}
