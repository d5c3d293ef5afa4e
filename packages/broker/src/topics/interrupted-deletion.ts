import { randomUUID } from 'node:crypto'
import type { FileSystem } from '@varve/log'
import { deletedDirectoryName, parsePartitionDirectoryName } from '@varve/log/files'
import type { CataloguedTopic } from './catalogue-file.ts'

/** Goes on with deletions that a crash cut short, before anything of them is opened. */
export async function renameDeleted(
  fs: FileSystem,
  path: string,
  topics: readonly CataloguedTopic[],
): Promise<void> {
  const deleted = new Set(topics.filter(({ isDeleting }) => isDeleting).map(({ name }) => name))
  if (deleted.size === 0) return
  for (const name of fs.list(path)) {
    const parsed = parsePartitionDirectoryName(name)
    if (parsed?.state !== 'live' || !deleted.has(parsed.topic)) continue
    const gone = deletedDirectoryName(name, randomUUID().replaceAll('-', ''))
    fs.rename(`${path}/${name}`, `${path}/${gone}`)
  }
  await fs.syncDirectory(path)
}
