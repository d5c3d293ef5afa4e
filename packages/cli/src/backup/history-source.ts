import {
  BackupCatalogue,
  backupHistory,
  DirectorySource,
  decoderPool,
  type GroupOffset,
  groupOffsets,
  ObjectReader,
  openExport,
  type RecordHistory,
  snapshotHistory,
} from '@varve/backup'
import { readGroupOffset, settingsInHistory } from '@varve/broker'
import { nodeFileSystem } from '@varve/log'
import { openRepository, type RepositoryAccess } from './repository-access.ts'

/** Where records are taken from: a repository, a data directory, or an exported database. */
export interface HistoryAccess extends RepositoryAccess {
  /** Of a repository: the backup's id, a beginning of it, the name of a point, or `latest`. */
  readonly backup: string
}

/** Records, and what is known beside them. */
export interface OpenHistory {
  readonly history: RecordHistory
  /** Plain data, by topic. */
  readonly settings: ReadonlyMap<string, unknown>
  /** Of all segments; null where nobody says. */
  readonly totalBytes: number | null
  groups(): Promise<readonly GroupOffset[]>
}

const decoders = 2

/** Opens what is at `access.repository`, lets somebody use it, and closes it. */
export async function withHistory<Result>(
  access: HistoryAccess,
  use: (opened: OpenHistory) => Promise<Result>,
): Promise<Result> {
  const { repository: path } = access
  const stat = nodeFileSystem.stat(path)
  if (stat !== null && !stat.isDirectory) return await withExport(path, use)
  const isData = stat !== null && nodeFileSystem.stat(`${path}/repository.json`) === null
  return isData ? await withDirectory(path, use) : await withBackup(access, use)
}

async function withExport<Result>(
  path: string,
  use: (opened: OpenHistory) => Promise<Result>,
): Promise<Result> {
  using exported = await openExport(path)
  const { history, settings, groups } = exported
  return await use({ history, settings, totalBytes: null, groups: async () => groups })
}

async function withDirectory<Result>(
  path: string,
  use: (opened: OpenHistory) => Promise<Result>,
): Promise<Result> {
  await using snapshot = await new DirectorySource(path).snapshot()
  const history = snapshotHistory(nodeFileSystem, path, snapshot)
  const segments = snapshot.partitions.flatMap((partition) => partition.segments)
  const totalBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return await use(opened(history, totalBytes))
}

async function withBackup<Result>(
  access: HistoryAccess,
  use: (opened: OpenHistory) => Promise<Result>,
): Promise<Result> {
  await using repository = await openRepository(access)
  const found = await new BackupCatalogue(repository).find(access.backup)
  const decoder = decoderPool(decoders)
  try {
    const history = backupHistory(repository, found, new ObjectReader(repository, decoder))
    return await use(opened(history, found.manifest.figures.totalBytes))
  } finally {
    await decoder.close()
  }
}

function opened(history: RecordHistory, totalBytes: number): OpenHistory {
  const groups = () => groupOffsets(history, readGroupOffset)
  return { history, settings: settingsInHistory(history), totalBytes, groups }
}
