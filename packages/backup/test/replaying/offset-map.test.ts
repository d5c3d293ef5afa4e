import { Random, SimulatedFileSystem, seedFromEnvironment } from '@varve/log/testing'
import { describe, expect, test } from 'vitest'
import { mapGroupOffsets } from '../../src/replaying/group-mapping.ts'
import { type MapEntry, OffsetMapFile, type OffsetRun } from '../../src/replaying/offset-map.ts'
import { ReplayRefusedError } from '../../src/replaying/replay-errors.ts'

const path = '/maps/map.jsonl'

function newFileSystem(): SimulatedFileSystem {
  const fs = new SimulatedFileSystem()
  fs.makeDirectories('/maps')
  return fs
}

function entry(partition: number, next: number, runs: readonly OffsetRun[] = []): MapEntry {
  return { topic: 'a', partition, to: 'b', next, runs }
}

const at = (partition: number, offset: number) => {
  return { topic: 'b', partition, offset, metadata: '' }
}

async function entriesOf(map: OffsetMapFile): Promise<readonly MapEntry[]> {
  const entries: MapEntry[] = []
  for await (const found of map.entries()) entries.push(found)
  return entries
}

describe('a map of offsets', () => {
  test('keeps what was committed, and drops what came after it', async () => {
    const fs = newFileSystem()
    const map = await OffsetMapFile.open(fs, path, 'r', [])
    const first = [entry(0, 5, [{ source: 2, count: 3, target: 9 }]), entry(1, 8)]
    const second = [entry(0, 9), entry(1, 12)]
    await map.add(first)
    await map.add(second)
    map.close()
    const again = await OffsetMapFile.open(fs, path, 'r', [at(0, 5), at(1, 8)])
    expect(await entriesOf(again)).toEqual(first)
    await again.add(second)
    expect(await entriesOf(again)).toEqual([...first, ...second])
    again.close()
  })

  test('that was being written when its writer died lacks half a line at most', async () => {
    const fs = newFileSystem()
    const map = await OffsetMapFile.open(fs, path, 'r', [])
    await map.add([entry(0, 5)])
    const start = fs.operations
    await map.add([entry(0, 9), entry(1, 9)])
    for (let bytes = 0; bytes < 80; bytes += 7) {
      const dead = fs.killState(start + 1, bytes)
      const again = await OffsetMapFile.open(dead, path, 'r', [at(0, 5)])
      expect(await entriesOf(again)).toEqual([entry(0, 5)])
      again.close()
    }
    map.close()
  })

  test('that does not go with what the target knows is refused', async () => {
    const fs = newFileSystem()
    const map = await OffsetMapFile.open(fs, path, 'r', [])
    await map.add([entry(0, 5)])
    await map.add([entry(0, 9)])
    map.close()
    const open = (replay: string, known: readonly ReturnType<typeof at>[]) =>
      OffsetMapFile.open(fs, path, replay, known)
    await expect(open('other', [at(0, 9)])).rejects.toThrow(ReplayRefusedError)
    await expect(open('r', [])).rejects.toThrow(/does not know any more/)
    await expect(open('r', [at(0, 9), at(1, 4)])).rejects.toThrow(/says nothing/)
    await expect(open('r', [at(0, 12)])).rejects.toThrow(/says nothing/)
    fs.writeBytes(path, Buffer.from('{"format":1,"replay":"r"}\n{"tx":1}\n'))
    await expect(open('r', [at(0, 9)])).rejects.toThrow(/not a map/)
  })

  test('that cannot be written fails, and opens again as it was', async () => {
    for (const kind of ['EIO', 'ENOSPC', 'short'] as const) {
      for (const after of [0, 1]) {
        const fs = newFileSystem()
        const map = await OffsetMapFile.open(fs, path, 'r', [])
        await map.add([entry(0, 5)])
        fs.injectFault({ kind, after })
        const adding = map.add([entry(0, 9)])
        if (kind === 'short') await adding
        else await expect(adding).rejects.toThrow(kind)
        map.close()
        fs.clearFaults()
        const again = await OffsetMapFile.open(fs, path, 'r', [at(0, 5)])
        expect(await entriesOf(again)).toEqual([entry(0, 5)])
        again.close()
      }
    }
  })
})

test('offsets of groups come to the same record or the next, as a plain search says', async () => {
  const random = new Random(seedFromEnvironment('offsets of groups'))
  for (let run = 0; run < 50; run++) {
    const places: Array<readonly [number, number]> = []
    const entries: MapEntry[] = []
    let source = random.int(5)
    let target = random.int(5)
    for (let transaction = 0; transaction < random.int(6); transaction++) {
      const runs: OffsetRun[] = []
      for (let count = random.int(4); count > 0; count--) {
        source += random.int(4)
        target += random.int(3)
        const length = random.between(1, 4)
        runs.push({ source, count: length, target })
        for (let index = 0; index < length; index++) places.push([source++, target++])
      }
      entries.push(entry(0, source, runs))
    }
    const reached = source
    const place = { topic: 'a', partition: 0, to: 'b', logStartOffset: 2, reached }
    const groups = Array.from({ length: reached + 4 }, (_, offset) => {
      return { group: `g${offset}`, topic: 'a', partition: 0, offset, metadata: 'm' }
    })
    const mapped = await mapGroupOffsets(groups, [place], generate(entries), async () => 77)
    const clamped = mapped.clamped.map(({ offset }) => offset)
    for (const { group, offset } of groups) {
      const next = places.find(([from]) => from >= offset)?.[1]
      const last = places.at(-1)?.[1]
      const expected = next ?? (last === undefined ? 77 : last + 1)
      expect(mapped.groups.get(group)).toMatchObject([{ topic: 'b', offset: expected }])
      expect(clamped.includes(offset)).toBe(offset < 2 || offset > reached)
    }
  }
})

async function* generate(entries: readonly MapEntry[]): AsyncGenerator<MapEntry> {
  yield* entries
}
