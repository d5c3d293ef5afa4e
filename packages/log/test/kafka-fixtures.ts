import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

// Partition directories written by Kafka's own storage classes. They are no part of the repository:
// tests that read them skip where they are absent.

const root = join(import.meta.dirname, '../../../../shared/fixtures')

export const fixturesMissing: string | null = existsSync(root)
  ? null
  : 'the fixtures written by Kafka are not beside this repository (../shared/fixtures)'

/** What Kafka's own readers report of a file. */
export interface ExpectedLine {
  readonly file: string
  readonly type: string
  readonly [field: string]: unknown
}

export interface Fixture {
  readonly name: string
  readonly directory: string
  readonly files: readonly string[]
  read(file: string): Buffer
  readonly expected: readonly ExpectedLine[]
}

/** All of them, none where they are absent. */
export function kafkaFixtures(): Fixture[] {
  if (fixturesMissing !== null) return []
  const names = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return names.map(({ name }) => kafkaFixture(name))
}

export function kafkaFixture(name: string): Fixture {
  const directory = join(root, name)
  const lines = readFileSync(`${directory}.expected.jsonl`, 'utf8').trim().split('\n')
  return {
    name,
    directory,
    files: readdirSync(directory).sort(),
    read: (file) => readFileSync(join(directory, file)),
    expected: lines.map((line) => JSON.parse(line) as ExpectedLine),
  }
}
