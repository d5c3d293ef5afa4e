import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { apiByKey } from '@varve/server'
import type { RequestFacts } from '../../src/clients/request-watcher.ts'
import { requestsDirectory } from './kept-requests.ts'

const page = join(import.meta.dirname, '../../../docs/clients.md')
const [begin, end] = ['<!-- requests -->', '<!-- /requests -->']

/** Writes what the clients of the last runs have sent into docs/clients.md. */
export function writeRequestsTable(): void {
  const text = readFileSync(page, 'utf8')
  const [before, after] = [text.indexOf(begin), text.indexOf(end)]
  if (before < 0 || after < before) throw new Error(`${page} has no place for the table`)
  const rows = readdirSync(requestsDirectory)
    .sort()
    .map((name) => {
      const facts = readFileSync(join(requestsDirectory, name), 'utf8')
      return rowOf(basename(name, '.json'), JSON.parse(facts) as readonly RequestFacts[])
    })
  const head = '| client | names itself | requests and their versions |\n|---|---|---|'
  const table = [begin, head, ...rows, ''].join('\n')
  writeFileSync(page, text.slice(0, before) + table + text.slice(after))
}

function rowOf(client: string, requests: readonly RequestFacts[]): string {
  const software = new Set(requests.flatMap(({ software: named }) => named ?? []))
  const versions = new Map<string, Set<number>>()
  for (const { apiKey, version } of requests) {
    const name = apiByKey(apiKey)?.name ?? `API ${apiKey}`
    const known = versions.get(name) ?? new Set()
    versions.set(name, known.add(version))
  }
  const used = [...versions].sort().map(([name, numbers]) => {
    return `${name} ${[...numbers].sort((one, other) => one - other).join(' and ')}`
  })
  return `| ${client} | ${[...software].sort().join(', ') || 'does not'} | ${used.join(', ')} |`
}
