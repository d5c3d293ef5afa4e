import { spawn, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { secondsOf } from '../harness/contest.ts'

/** A program that backs up directories, used as its own users do. */
export interface BackupPeer {
  readonly name: string
  readonly version: string
  /** Makes an empty repository, encrypted. */
  init(repository: string): Promise<void>
  backup(repository: string, data: string): Promise<void>
  /** Reads all data. */
  verify(repository: string): Promise<void>
  /** Into a directory that is there. */
  restore(repository: string, to: string): Promise<void>
}

const environment = {
  ...process.env,
  RESTIC_PASSWORD: 'correct horse battery staple',
  BORG_PASSPHRASE: 'correct horse battery staple',
  BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
  BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
}

const restic: Omit<BackupPeer, 'version'> = {
  name: 'restic',
  init: (repository) => run('restic', ['-q', '-r', repository, 'init']),
  backup: (repository, data) => run('restic', ['-q', '-r', repository, 'backup', '.'], data),
  verify: (repository) => run('restic', ['-q', '-r', repository, 'check', '--read-data']),
  restore: (repository, to) =>
    run('restic', ['-q', '-r', repository, 'restore', 'latest', '--target', to]),
}

const borg: Omit<BackupPeer, 'version'> = {
  name: 'borg',
  init: (repository) => run('borg', ['init', '-e', 'repokey', repository]),
  backup: (repository, data) =>
    run('borg', ['create', '-C', 'lz4', `${repository}::one`, '.'], data),
  verify: (repository) => run('borg', ['check', '--verify-data', repository]),
  restore: (repository, to) => run('borg', ['extract', `${repository}::one`], to),
}

/** Those that are installed here. */
export function installedPeers(): readonly BackupPeer[] {
  return [
    { peer: restic, args: ['version'] },
    { peer: borg, args: ['--version'] },
  ].flatMap(({ peer, args }) => {
    const { status, stdout } = spawnSync(peer.name, args, { encoding: 'utf8' })
    return status === 0 ? [{ ...peer, version: stdout.trim().split('\n')[0] ?? '' }] : []
  })
}

export function copyTree(from: string, to: string): Promise<void> {
  return run('cp', ['-r', from, to])
}

/** As `copyTree`, and makes durable what was copied, but for names. */
export async function copyTreeFlushed(from: string, to: string): Promise<void> {
  await copyTree(from, to)
  await run('find', [to, '-type', 'f', '-exec', 'sync', '{}', '+'])
}

/** Seconds that something takes on a path that it makes, which is removed afterwards. */
export async function timedInto(path: string, work: () => Promise<void>): Promise<number> {
  try {
    return await secondsOf(work)
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

function run(command: string, args: readonly string[], cwd?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(cwd !== undefined && { cwd }),
    })
    let errors = ''
    child.stderr.on('data', (chunk) => {
      errors += chunk
    })
    child.on('error', reject)
    child.on('close', (status) => {
      if (status === 0) resolve()
      else reject(new Error(`${command} ${args.join(' ')} exited with ${status}: ${errors}`))
    })
  })
}
