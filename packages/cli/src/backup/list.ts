import {
  BackupCatalogue,
  heldBackups,
  type Manifest,
  readVerifications,
  type Verification,
} from '@varve/backup'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount, formatBytes, formatDuration, formatTimestamp } from '../human.ts'
import { LineOutput, renderTable } from '../output.ts'
import { openRepository, type RepositoryAccess } from './repository-access.ts'

export interface BackupListOptions extends RepositoryAccess {
  /** Of which source; undefined: of all. */
  readonly source?: string | undefined
  readonly json: boolean
}

interface Listed {
  readonly manifest: Manifest
  readonly verification: Verification | null
  readonly isHeld: boolean
}

/** Prints the backups, oldest first, and how old the newest and the last verified one are. */
export async function listRepository(options: BackupListOptions, io: CommandIo): Promise<number> {
  await using repository = await openRepository(options)
  const catalogue = new BackupCatalogue(repository)
  const { source, json } = options
  const sourceId = source === undefined ? null : catalogue.sourceIdOf(source)
  const verifications = await readVerifications(repository.target, repository.keys.naming.idKey)
  const held = await heldBackups(repository.target)
  const listed: Listed[] = []
  for (const name of await catalogue.list(sourceId)) {
    const { manifest } = await catalogue.read(name)
    const verification = verifications.get(manifest.backupId) ?? null
    listed.push({ manifest, verification, isHeld: held.has(manifest.backupId) })
  }
  listed.sort((a, b) => (a.manifest.backupId < b.manifest.backupId ? -1 : 1))
  const lines = new LineOutput(io.stdout)
  if (json) for (const one of listed) lines.json(documentOf(one))
  else sayList(lines, listed, io.clock.now())
  await lines.flush()
  return exitCodes.fine
}

function documentOf({ manifest, verification, isHeld }: Listed): object {
  const { files: _, partitions, previous: __, sets: ___, ...rest } = manifest
  return { ...rest, partitions: partitions.length, verification, isHeld }
}

function sayList(lines: LineOutput, listed: readonly Listed[], nowMs: number): void {
  const rows = listed.map(({ manifest, verification, isHeld }) => [
    manifest.backupId,
    manifest.kind,
    manifest.source,
    formatBytes(manifest.figures.totalBytes),
    formatBytes(manifest.figures.newBytes),
    verification === null ? '-' : verification.isSound ? 'sound' : 'damaged',
    [manifest.point ?? '', ...manifest.tags, isHeld ? 'held' : '']
      .filter((note) => note !== '')
      .join(', '),
  ])
  const columns = [
    { title: 'backup' },
    { title: 'kind' },
    { title: 'source' },
    { title: 'size', align: 'right' as const },
    { title: 'new', align: 'right' as const },
    { title: 'verified' },
    { title: 'notes' },
  ]
  for (const row of renderTable(columns, rows)) lines.line(row)
  const newest = listed.at(-1)
  if (newest === undefined) return
  const sound = listed.flatMap(({ verification }) =>
    verification?.isSound === true ? [verification.atMs] : [],
  )
  lines.line()
  lines.line(`the newest is ${formatDuration(nowMs - newest.manifest.takenMs)} old`)
  const last = Math.max(...sound)
  const text =
    sound.length === 0
      ? 'none was verified'
      : `the last verification is ${formatDuration(nowMs - last)} old`
  lines.line(text)
}

export interface BackupShowOptions extends RepositoryAccess {
  /** Id, a beginning of it, the name of a point, or `latest`. */
  readonly backup: string
  readonly json: boolean
}

/** Prints what a backup holds, by partition. */
export async function showBackup(options: BackupShowOptions, io: CommandIo): Promise<number> {
  await using repository = await openRepository(options)
  const { manifest } = await new BackupCatalogue(repository).find(options.backup)
  const lines = new LineOutput(io.stdout)
  if (options.json) lines.json(detailsOf(manifest))
  else sayDetails(lines, manifest)
  await lines.flush()
  return manifest.gaps.length === 0 ? exitCodes.fine : exitCodes.findings
}

function detailsOf({ partitions, previous, files, ...rest }: Manifest): object {
  return {
    ...rest,
    previous: previous?.toString('hex') ?? null,
    files: files.map(({ name, bytes }) => ({ name, sizeBytes: bytes.length })),
    partitions: partitions.map(({ list: _, set: __, ...partition }) => partition),
  }
}

function sayDetails(lines: LineOutput, manifest: Manifest): void {
  const { backupId, kind, base, source, takenMs, figures, partitions, gaps } = manifest
  lines.line(`${backupId}  ${kind} of ${source}, taken ${formatTimestamp(takenMs)}`)
  if (base !== null) lines.line(`  what had not changed was taken over from ${base}`)
  const size = `${formatBytes(figures.totalBytes)}, ${formatBytes(figures.newBytes)} of it new`
  lines.line(`  ${formatAmount(partitions.length, 'partition')}, ${size}`)
  const rows = partitions.map((stored) => [
    `${stored.topic}-${stored.partition}`,
    String(stored.logStartOffset),
    String(stored.endOffset),
    String(stored.segmentCount),
    formatBytes(stored.sizeBytes),
  ])
  const right = 'right' as const
  const columns = [
    { title: 'partition' },
    { title: 'start', align: right },
    { title: 'end', align: right },
    { title: 'segments', align: right },
    { title: 'size', align: right },
  ]
  for (const row of renderTable(columns, rows)) lines.line(row)
  for (const { topic, partition, from, to, reason } of gaps) {
    lines.line(`missing: ${topic}-${partition}, offsets ${from} to before ${to}: ${reason}`)
  }
}
