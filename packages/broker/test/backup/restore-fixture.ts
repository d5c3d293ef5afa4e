import {
  BackupCatalogue,
  DirectoryTarget,
  inlineDecoder,
  inlineEncoder,
  Repository,
  type RestoreOptions,
  type RestoreReport,
  restoreBackup,
} from '@varve/backup'
import { nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { restoreHooks } from '../../src/backup/restore-hooks.ts'
import { type DirectoryVarve, openDataDirectory } from '../../src/directory-varve.ts'

const temporary = makeTemporaryDirectory()
let count = 0
export const newPath = (what: string): string => `${temporary.path}/${what}-${count++}`

export function open(path: string): Promise<DirectoryVarve> {
  return openDataDirectory(path, { cleaning: false })
}

export async function send(
  varve: DirectoryVarve,
  topic: string,
  from: number,
  to: number,
): Promise<void> {
  const producer = varve.producer()
  for (let index = from; index < to; index++) {
    await producer.send(topic, { value: `${topic} ${index}` }, { partition: 0 })
  }
  await producer.close()
}

export async function commit(varve: DirectoryVarve, topic: string, offset: number): Promise<void> {
  const groups = await varve.groups()
  await groups.resetOffsets('billing', [{ topic, partition: 0, offset }])
}

export async function committed(varve: DirectoryVarve): Promise<Record<string, number>> {
  const groups = await varve.groups()
  if (!(await groups.list()).includes('billing')) return {}
  const { offsets } = await groups.describe('billing')
  return Object.fromEntries(offsets.map(({ topic, offset }) => [topic, offset]))
}

export async function values(varve: DirectoryVarve, topic: string): Promise<string[]> {
  const found: string[] = []
  const log = varve.log(topic, 0)
  for await (const record of log.reader({ from: log.logStartOffset }).records()) {
    found.push(String(record.value))
  }
  return found
}

export interface Backed {
  readonly repository: Repository
  readonly data: string
}

/** Topics `orders` (10 records, 8 committed) and `users` (5, 5 committed). */
export async function backedUp(): Promise<Backed> {
  const data = newPath('data')
  const repository = await Repository.create(new DirectoryTarget(newPath('repository')))
  await using varve = await open(data)
  await varve.createTopic('orders', { partitions: 2, retentionMs: 5000 })
  await varve.createTopic('users', { cleanupPolicy: ['compact'] })
  await send(varve, 'orders', 0, 10)
  await send(varve, 'users', 0, 5)
  await commit(varve, 'orders', 8)
  await commit(varve, 'users', 5)
  await varve.backup(repository, { encoder: inlineEncoder(nodeFileSystem) })
  return { repository, data }
}

export async function restore(
  { repository }: Backed,
  options: RestoreOptions,
  hooks = restoreHooks(),
): Promise<RestoreReport> {
  const backup = await new BackupCatalogue(repository).find('latest')
  const inline = { encoder: inlineEncoder(nodeFileSystem), decoder: inlineDecoder() }
  return restoreBackup(repository, backup, { ...inline, hooks, ...options })
}
