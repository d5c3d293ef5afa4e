import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import {
  BackupCatalogue,
  DirectorySource,
  DirectoryTarget,
  Repository,
  restoreBackup,
  runBackup,
  verifyRepository,
} from '@varve/backup'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, type Contest, hold, secondsOf } from '../harness/contest.ts'
import type { Bar, Figure } from '../harness/figure.ts'
import { type Corpus, makeCorpus, segmentsHash } from './corpus.ts'
import { type BackupPeer, copyTree, copyTreeFlushed, installedPeers } from './peers.ts'

const passphrase = 'correct horse battery staple'

/** What has to be done once before it can be measured, and is left for all repeats. */
interface Scene {
  readonly context: BenchmarkContext
  readonly path: string
  readonly corpus: Corpus
}

export const backup: Benchmark = {
  name: 'backup',
  summary: 'backup, verification and restore of sealed segments, beside restic, borg and cp',
  async run(context) {
    return await context.withDirectory(async (path) => {
      mkdirSync(path)
      const corpus = await makeCorpus(context, `${path}/data`)
      const scene = { context, path, corpus }
      // Each of them takes a second or two for every key that it makes or derives.
      const peers = installedPeers().slice(0, context.size(2, 1))
      await createRepository(`${path}/ours`, context)
      await backUp(scene, `${path}/ours`)
      return [
        ...(context.isWanted('backup') ? await backups(scene, peers) : []),
        ...(context.isWanted('verification') ? await verifications(scene, peers) : []),
        ...(context.isWanted('restore') ? await restores(scene, peers) : []),
      ]
    })
  },
}

/** The one peer that is asked, or none: the better of two is not known before. */
type Pairing = { readonly peer: BackupPeer | null; readonly name: string }

function pairings(peers: readonly BackupPeer[]): readonly Pairing[] {
  if (peers.length === 0) return [{ peer: null, name: 'without a peer: none is installed' }]
  return peers.map((peer) => ({ peer, name: `beside ${peer.version}` }))
}

async function backups(scene: Scene, peers: readonly BackupPeer[]): Promise<readonly Figure[]> {
  const { path } = scene
  const figures: Figure[] = []
  for (const { peer, name } of pairings(peers)) {
    const repository = `${path}/repository`
    figures.push(
      await compare(scene, {
        name: `backup, compressed and encrypted, ${name}`,
        work: async () => {
          await backUp(scene, repository)
        },
        prepare: () => createRepository(repository, scene.context),
        leaves: () => hashOfOurs(scene, repository),
        clean: () => remove(repository),
        limit: peer && {
          name: peer.name,
          prepare: () => peer.init(repository),
          work: () => peer.backup(repository, scene.corpus.path),
          leaves: () => hashOfTheirs(scene, peer, repository),
          clean: () => remove(repository),
        },
        bar: peer && { kind: 'ratio', atLeast: 1.5 },
      }),
    )
  }
  return figures
}

async function verifications(
  scene: Scene,
  peers: readonly BackupPeer[],
): Promise<readonly Figure[]> {
  const { path } = scene
  const figures: Figure[] = []
  const ours = `${path}/ours`
  for (const { peer, name } of pairings(peers)) {
    const theirs = `${path}/theirs`
    if (peer !== null) {
      await peer.init(theirs)
      await peer.backup(theirs, scene.corpus.path)
    }
    figures.push(
      await compare(scene, {
        name: `verification of every byte, ${name}`,
        work: async () => {
          const repository = await open(ours)
          const { findings } = await verifyRepository(repository)
          assert.equal(findings.length, 0, 'all is sound')
        },
        leaves: () => hashOfOurs(scene, ours),
        limit: peer && {
          name: peer.name,
          work: () => peer.verify(theirs),
          leaves: () => hashOfTheirs(scene, peer, theirs),
        },
        bar: peer && { kind: 'ratio', atLeast: 1 },
      }),
    )
    remove(theirs)
  }
  return figures
}

async function restores(scene: Scene, peers: readonly BackupPeer[]): Promise<readonly Figure[]> {
  const { path, corpus } = scene
  const ours = `${path}/ours`
  const out = `${path}/out`
  const contest = {
    work: async () => {
      await restoreOurs(ours, out)
    },
    leaves: async () => segmentsHash(out),
    clean: () => remove(out),
  }
  const figures: Figure[] = []
  // The first leaves everything in the page cache and promises nothing; the second is as durable as
  // what is restored is, but for the names of the files, and checks and derives nothing.
  for (const [name, copy] of [
    ['cp -r', copyTree],
    ['cp -r and sync', copyTreeFlushed],
  ] as const) {
    figures.push(
      await compare(scene, {
        ...contest,
        name: `restore with indexes, flushed, beside ${name}`,
        limit: {
          name,
          work: () => copy(corpus.path, out),
          leaves: async () => segmentsHash(out),
          clean: () => remove(out),
        },
        bar: { kind: 'ratio', atLeast: 0.8 },
      }),
    )
  }
  for (const peer of peers) {
    const theirs = `${path}/theirs`
    await peer.init(theirs)
    await peer.backup(theirs, corpus.path)
    figures.push(
      await compare(scene, {
        ...contest,
        name: `restore with indexes, flushed, beside ${peer.version}`,
        limit: {
          name: peer.name,
          prepare: async () => void mkdirSync(out),
          work: () => peer.restore(theirs, out),
          leaves: async () => segmentsHash(out),
          clean: () => remove(out),
        },
        bar: { kind: 'ratio', atLeast: 1 },
      }),
    )
    remove(theirs)
  }
  return figures
}

interface Work {
  readonly name: string
  readonly prepare?: () => Promise<unknown>
  readonly work: () => Promise<void>
  /** Hash of the segments that come back, found out when the work is over. */
  readonly leaves: () => Promise<string>
  readonly clean?: () => void
}

function compare(
  { context, corpus }: Scene,
  given: Work & { readonly limit: Work | null; readonly bar: Bar | null },
): Promise<Figure> {
  const contest: Contest = {
    name: given.name,
    unit: 'MB/s',
    measured: contender({ ...given, name: 'varve' }, corpus),
    ...(given.limit !== null && { limit: contender(given.limit, corpus) }),
    ...(given.bar !== null && { bar: given.bar }),
    conditions: {
      payload: corpus.description,
      input: `${(corpus.bytes / 1e6).toFixed(0)} MB, in the page cache`,
      process:
        'peers are started as commands; here the library runs, its threads started each time',
    },
  }
  return hold(context, contest)
}

function contender({ name, prepare, work, leaves, clean }: Work, corpus: Corpus): Contender {
  const measure = async () => {
    await prepare?.()
    try {
      const seconds = await secondsOf(work)
      const hash = await leaves()
      assert.equal(hash, corpus.hash, `${name} gives back what there was`)
      return { value: corpus.bytes / 1e6 / seconds, hash }
    } finally {
      clean?.()
    }
  }
  return { name, measure }
}

/** Whether it works does not depend on how long guessing the passphrase would take. */
async function createRepository(path: string, { isSmoke }: BenchmarkContext): Promise<void> {
  const costs = isSmoke ? { scryptN: 2 ** 14 } : {}
  await Repository.create(new DirectoryTarget(path), {
    encryption: { passphrase, rsaBits: 2048, ...costs },
  })
}

function open(path: string): Promise<Repository> {
  return Repository.open(new DirectoryTarget(path), { passphrase })
}

async function backUp({ corpus, path }: Scene, repository: string): Promise<void> {
  const opened = await open(repository)
  const source = new DirectorySource(corpus.path)
  const stateDirectory = `${path}/state`
  const { gaps } = await runBackup(opened, source, { kind: 'full', stateDirectory })
  assert.equal(gaps.length, 0, 'nothing is missing')
  remove(stateDirectory)
}

async function restoreOurs(path: string, out: string): Promise<void> {
  const repository = await open(path)
  const found = await new BackupCatalogue(repository).find('latest')
  await restoreBackup(repository, found, { to: out })
}

async function hashOfOurs({ path }: Scene, repository: string): Promise<string> {
  const out = `${path}/seen`
  await restoreOurs(repository, out)
  return removing(out)
}

async function hashOfTheirs({ path }: Scene, peer: BackupPeer, repository: string) {
  const out = `${path}/seen`
  mkdirSync(out)
  await peer.restore(repository, out)
  return removing(out)
}

function removing(out: string): string {
  try {
    return segmentsHash(out)
  } finally {
    remove(out)
  }
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
}
