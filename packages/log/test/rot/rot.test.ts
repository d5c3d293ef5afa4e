import { describe, expect, test } from 'vitest'
import { campaignShare } from '../../../record/test/campaign-scale.ts'
import { LeaderEpochCache } from '../../src/format/leader-epoch-cache.ts'
import { Random, type SimulatedFileSystem, seedFromEnvironment } from '../../src/testing/index.ts'
import { describeFlip, type Flip, faults, findings, flipped, silentLoss } from './oracle.ts'
import { directory, type Shape, smallShapes } from './shapes.ts'

// The short form flips some bits of every shape. VARVE_CAMPAIGN=long verifies with every bit
// flipped; it opens and reads with every bit of what no checksum covers flipped, and every fifth of
// the others, other ones with another seed. A smaller campaign takes a part of each, drawn.
const isLong = process.env['VARVE_CAMPAIGN'] === 'long'
const seed = seedFromEnvironment('rot.test.ts')
const shapes = await Promise.all(smallShapes.map((make) => make()))
const timeout = isLong ? 3_600_000 : 60_000

/** All bits of the files that match, or a sample of them. */
function flipsOf(shape: Shape, pattern: RegExp, sample: number, longStep = 1): readonly Flip[] {
  const flips: Flip[] = []
  for (const [path, stat] of shape.fs.tree()) {
    if (stat.isDirectory || !pattern.test(path)) continue
    for (let bit = 0; bit < stat.sizeBytes * 8; bit += 1) flips.push({ path, bit })
  }
  if (isLong) return drawn(flips.filter((_, index) => (index + seed) % longStep === 0))
  return new Random(seed).shuffle(flips).slice(0, sample)
}

/** Bits of the batches' fields that no checksum covers: the first 21 bytes of each. */
function headerFlipsOf(shape: Shape, sample: number): readonly Flip[] {
  const flips: Flip[] = []
  for (const [path] of shape.fs.tree()) {
    if (!path.endsWith('.log')) continue
    const bytes = shape.fs.bytesOf(path)
    for (let start = 0; start + 21 <= bytes.length; start += 12 + bytes.readInt32BE(start + 8)) {
      for (let bit = 0; bit < 21 * 8; bit += 1) flips.push({ path, bit: start * 8 + bit })
    }
  }
  return isLong ? drawn(flips) : new Random(seed).shuffle(flips).slice(0, sample)
}

function drawn(flips: readonly Flip[]): readonly Flip[] {
  const random = new Random(seed)
  return flips.filter(() => random.bool(campaignShare))
}

/** The long form says how many. */
function tell(shape: Shape, what: string, flips: readonly Flip[]): readonly Flip[] {
  if (isLong) process.stdout.write(`${shape.name}: ${flips.length} bits of ${what} flipped\n`)
  return flips
}

/** Files of the log that hold records, and those that say where a log begins and ends. */
const logFiles = /\.log$/
/** Not those that no reader looks at: a topic's id, the marker, whose presence alone counts. */
const otherFiles = /(index|snapshot|digest|progress|checkpoint)$/

describe.each(shapes.map((shape) => ({ name: shape.name, shape })))('a log: $name', ({ shape }) => {
  test('is found without fault as it is', async () => {
    expect(await findings(shape.fs)).toEqual([])
  })

  test(
    'with a bit of a segment flipped is found out, with the file and the place',
    async () => {
      const flips = [...flipsOf(shape, logFiles, 20), ...headerFlipsOf(shape, 20)]
      for (const flip of tell(shape, 'segments, verified', flips)) {
        const found = await faults(flipped(shape, flip, true))
        const byte = flip.bit >> 3
        const isFound = found.some(
          ({ path, position, sizeBytes }) =>
            path === flip.path && position <= byte && byte < position + sizeBytes,
        )
        // A log that was killed has no digest yet of its active segment; its epochs tell.
        const isUnsealed = shape.name === 'killed' && found.length > 0
        expect(isFound || isUnsealed, `${describeFlip(flip)}: ${JSON.stringify(found)}`).toBe(true)
      }
    },
    timeout,
  )

  test(
    'with a bit of a segment flipped never loses a record in silence when it is opened',
    async () => {
      const flips = [...flipsOf(shape, logFiles, 12, 5), ...headerFlipsOf(shape, 14)]
      for (const flip of tell(shape, 'segments, opened', flips)) {
        for (const isClean of [true, false]) {
          const lost = await silentLoss(flipped(shape, flip, isClean), shape)
          expect(lost, `${describeFlip(flip)}, clean ${isClean}`).toBeNull()
        }
      }
    },
    timeout,
  )

  test(
    'with a bit of a derived file flipped gives out the same records or an error',
    async () => {
      const flips = flipsOf(shape, otherFiles, 20, 5)
      for (const flip of tell(shape, 'derived files, opened', flips)) {
        for (const isClean of [true, false]) {
          const lost = await silentLoss(flipped(shape, flip, isClean), shape)
          expect(lost, `${describeFlip(flip)}, clean ${isClean}`).toBeNull()
        }
      }
    },
    timeout,
  )

  test(
    'with a bit of a derived file flipped after a clean shutdown is found out',
    async () => {
      const flips = flipsOf(shape, otherFiles, 20)
      for (const flip of tell(shape, 'derived files, verified', flips)) {
        // Two slots, of which one may be torn at any time: that is no fault.
        if (flip.path.endsWith('progress')) continue
        // Lower bounds: nothing is wrong with a log that has come farther.
        if (/(recovery-point|replication)-offset-checkpoint$/.test(flip.path)) continue
        if (shape.name === 'killed' && /\.(time)?index$|\.txnindex$/.test(flip.path)) continue
        const fs = flipped(shape, flip, true)
        // A broker drops the first epochs of a log and may leave it so: nothing is said of that
        // where Varve has not closed the log, or it begins with the old formats, without epochs.
        const mayBeDropped = /^(killed|magic)/.test(shape.name)
        if (mayBeDropped && firstEpochStart(fs) > firstEpochStart(shape.fs)) continue
        expect(await faults(fs), describeFlip(flip)).not.toEqual([])
      }
    },
    timeout,
  )
})

/** Where the checkpoint of leader epochs begins; -1 where it cannot be read. */
function firstEpochStart(fs: SimulatedFileSystem): number {
  const path = `${directory}/leader-epoch-checkpoint`
  try {
    return LeaderEpochCache.decode(fs.bytesOf(path), path).entries()[0]?.startOffset ?? -1
  } catch {
    return -1
  }
}
