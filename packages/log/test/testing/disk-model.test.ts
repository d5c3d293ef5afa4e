import { expect, test } from 'vitest'
import type { File } from '../../src/storage/file-system.ts'
import {
  type CrashVariant,
  crashVariants,
  describeVariant,
  Random,
  SimulatedFileSystem,
  seedFromEnvironment,
} from '../../src/testing/index.ts'

// Random work, checked against what can be said of it without a model of the disk.

const seed = seedFromEnvironment('disk model')
const directories = ['/d', '/d/e', '/f']
const names = ['a', 'b', 'c']

/** Does something random, which may well fail; files stay open now and then. */
async function step(fs: SimulatedFileSystem, random: Random, open: File[]): Promise<void> {
  const path = (): string => `${random.pick(directories)}/${random.pick(names)}`
  const choice = random.int(20)
  const file = open.length === 0 ? null : random.pick(open)
  if (choice < 3) open.push(fs.open(path(), random.pick(['create', 'replace', 'write'] as const)))
  else if (choice < 9) file?.writeSync(random.bytes(random.between(1, 30)), random.int(60))
  else if (choice < 10) file?.truncate(random.int(60))
  else if (choice < 12) await file?.datasync()
  else if (choice < 13) file?.datasyncSync()
  else if (choice < 14) fs.rename(path(), path())
  else if (choice < 15) fs.link(path(), path())
  else if (choice < 16) await fs.remove(path())
  else if (choice < 17) await fs.syncDirectory(random.pick(directories))
  else if (choice < 18) fs.rename('/d/e', '/f/e')
  else if (choice < 19) fs.rename('/f/e', '/d/e')
  else open.shift()?.close()
}

async function work(fs: SimulatedFileSystem, random: Random, steps: number): Promise<void> {
  const open: File[] = []
  for (let index = 0; index < steps; index += 1) {
    await step(fs, random, open).catch((error: unknown) => {
      if (!/^E[A-Z]+$/.test(String((error as { code?: unknown }).code))) throw error
    })
  }
  for (const file of open) file.close()
}

function made(options: { sectorBytes?: number } = {}): SimulatedFileSystem {
  const fs = new SimulatedFileSystem({ sectorBytes: 8, ...options })
  for (const directory of directories) fs.makeDirectories(directory)
  return fs
}

function picture(fs: SimulatedFileSystem): string {
  return [...fs.tree()]
    .map(([path, stat]) =>
      stat.isDirectory ? path : `${path} ${fs.bytesOf(path).toString('hex')}`,
    )
    .join('\n')
}

test('a crash that loses nothing, and a kill, leave what the process saw', async () => {
  for (let round = 0; round < 20; round += 1) {
    const random = new Random(seed + round)
    const fs = made()
    const seen = new Map<number, string>([[0, picture(fs)]])
    for (let index = 0; index < 40; index += 1) {
      await work(fs, random, 3)
      seen.set(fs.operations, picture(fs))
    }
    // In random order, so that the model is also played anew.
    for (const [operations, expected] of random.shuffle([...seen])) {
      expect(picture(fs.crashState(operations, 'all')), `seed ${seed + round}`).toBe(expected)
      expect(picture(fs.killState(operations)), `seed ${seed + round}`).toBe(expected)
    }
  }
})

test('after everything was flushed every crash leaves all of it', async () => {
  for (let round = 0; round < 20; round += 1) {
    const random = new Random(seed + round)
    const fs = made()
    await work(fs, random, 60)
    for (const [path, stat] of fs.tree()) {
      if (stat.isDirectory) await fs.syncDirectory(path)
      else {
        const file = fs.open(path, 'read')
        await file.datasync()
        file.close()
      }
    }
    await fs.syncDirectory('/')
    const expected = picture(fs)
    for (const variant of crashVariants(random, 40)) {
      const message = `seed ${seed + round}, ${describeVariant(variant)}`
      expect(picture(fs.crashState(fs.operations, variant)), message).toBe(expected)
    }
  }
})

test('no crash invents a byte, a name or a file', async () => {
  for (let round = 0; round < 20; round += 1) {
    const random = new Random(seed + round)
    const fs = made()
    await work(fs, random, 120)
    const written = writtenBytes(fs)
    for (const variant of crashVariants(random, 60)) {
      const crashed = fs.crashState(random.int(fs.operations + 1), variant)
      const message = `seed ${seed + round}, ${describeVariant(variant)}`
      for (const [path, stat] of crashed.tree()) {
        expect(path, message).toMatch(/^(\/(d|f|e|a|b|c))+$/)
        if (!stat.isDirectory) expect(isMadeOf(crashed.bytesOf(path), written), message).toBe(true)
      }
    }
  }
})

test('a crash of a crash of a crash keeps what was flushed before the first', async () => {
  for (let round = 0; round < 20; round += 1) {
    const random = new Random(seed + round)
    let fs = made()
    const kept = random.bytes(100)
    const file = fs.open('/d/kept', 'create')
    file.writeSync(kept, 0)
    await file.datasync()
    await fs.syncDirectory('/d')
    file.close()
    const first = fs.operations
    for (let depth = 0; depth < 4; depth += 1) {
      await work(fs, random, 30)
      const variants: CrashVariant[] = crashVariants(random, 8)
      const earliest = depth === 0 ? first : 0
      fs = fs.crashState(random.between(earliest, fs.operations), random.pick(variants))
      const bytes = fs.bytesOf('/d/kept')
      expect(bytes.equals(kept), `seed ${seed + round}, depth ${depth}`).toBe(true)
    }
  }
})

test('whatever is moved where, every crash has each file under exactly one name', async () => {
  for (let round = 0; round < 30; round += 1) {
    const random = new Random(seed + round)
    const fs = made()
    for (const name of names) fs.writeBytes(`/d/${name}`, Buffer.from(name))
    for (let index = 0; index < 40; index += 1) await move(fs, random, index)
    for (const variant of crashVariants(random, 60)) {
      const crashed = fs.crashState(random.int(fs.operations + 1), variant)
      const paths = [...crashed.tree()].filter(([, stat]) => !stat.isDirectory)
      const found = paths.map(([path]) => crashed.bytesOf(path).toString()).sort()
      expect(found, `seed ${seed + round}, ${describeVariant(variant)}`).toEqual(names)
    }
  }
})

/** Gives a random file or directory a name that is new, or flushes one directory. */
async function move(fs: SimulatedFileSystem, random: Random, index: number): Promise<void> {
  const paths = [...fs.tree()]
  const places = ['', ...paths.filter(([, stat]) => stat.isDirectory).map(([path]) => path)]
  if (random.int(4) === 0) return fs.syncDirectory(random.pick(places) || '/')
  const [from] = random.pick(paths)
  const to = `${random.pick(places)}/n${index}`
  if (!to.startsWith(`${from}/`)) fs.rename(from, to)
}

/** By position, the bytes ever written there to any file. */
function writtenBytes(fs: SimulatedFileSystem): Set<number>[] {
  const written: Set<number>[] = []
  for (const operation of fs.journal) {
    if (operation.kind !== 'write') continue
    for (const [index, byte] of operation.bytes.entries()) {
      const position = operation.position + index
      written[position] = (written[position] ?? new Set()).add(byte)
    }
  }
  return written
}

function isMadeOf(bytes: Buffer, written: readonly Set<number>[]): boolean {
  return bytes.every((byte, position) => byte === 0 || written[position]?.has(byte) === true)
}
