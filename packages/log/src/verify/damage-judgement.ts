import type { Offset } from '@varve/record'
import { readInt64 } from '../base/int64.ts'
import type { SegmentDigest } from '../format/segment-digest.ts'
import { magicField } from '../segments/batch-finder.ts'
import type { File } from '../storage/file-system.ts'
import type { SegmentDamage, SurveyOptions } from './segment-survey.ts'
import { explainSpine } from './spine-check.ts'

/** Where a batch has its leader epoch. */
export const leaderEpochField = 12

/** What is known of a segment whose `.log` was read to its end. */
export interface Evidence {
  readonly log: File
  readonly options: SurveyOptions
  /** Null where it says nothing: there is none, or not every header is known. */
  readonly digest: SegmentDigest | null
  /** Of the headers as they are, up to where the digest was made. */
  readonly spine: number
  /** What the survey found. */
  readonly damages: readonly SegmentDamage[]
  /** Batches whose epoch the log's checkpoint does not know. */
  readonly strangeEpochs: readonly SegmentDamage[]
  /** The epoch at an offset, when the given one is not known; else null. */
  readonly lostEpoch: (leaderEpoch: number, baseOffset: Offset) => number | null
}

export interface Judgement {
  /** In the order of the file, each with the header as it must have been where that is proved. */
  readonly damages: readonly SegmentDamage[]
  /** Batches that are right though the checkpoint does not know their epoch: then that is wrong. */
  readonly rightEpochs: readonly SegmentDamage[]
}

/**
 * Weighs what several witnesses say of changed headers: the neighbours of a batch, its checksum,
 * the checkpoint of leader epochs, and the digest, which is right above all of them where it can be
 * made to agree.
 */
export async function judgeDamage(evidence: Evidence): Promise<Judgement> {
  const { log, options, digest, spine, damages, strangeEpochs } = evidence
  if (digest !== null && digest.spineCrc32c === spine) {
    return { damages, rightEpochs: strangeEpochs }
  }
  const supposed = [...damages, ...strangeEpochs]
    .map((damage) => withKnownEpoch(damage, evidence))
    .sort(byPosition)
  if (digest === null) return { damages: supposed, rightEpochs: [] }
  const explanation = await explainSpine(log, options, digest, supposed)
  if (!explanation.isProved) {
    const unproved = supposed.map((damage) =>
      damage.kind === 'misplaced' ? { ...damage, restored: null } : damage,
    )
    return { damages: [...unproved, ...explanation.altered].sort(byPosition), rightEpochs: [] }
  }
  const isProvedAt = ({ position }: SegmentDamage): boolean =>
    (explanation.damages.get(position) ?? null) !== null
  const wrong = damages.filter(({ position }) => !explanation.right.has(position))
  const proved = [...wrong, ...strangeEpochs.filter(isProvedAt)].map((damage) => {
    const restored = explanation.damages.get(damage.position)
    return restored === undefined ? damage : { ...damage, restored }
  })
  return {
    damages: [...proved, ...explanation.altered].sort(byPosition),
    rightEpochs: strangeEpochs.filter((damage) => !isProvedAt(damage)),
  }
}

/** A header that is to be put back has an epoch that the log had: its other fields are proved. */
function withKnownEpoch(damage: SegmentDamage, { lostEpoch }: Evidence): SegmentDamage {
  const { restored } = damage
  if (restored?.[magicField] !== 2) return damage
  const epoch = lostEpoch(restored.readInt32BE(leaderEpochField), readInt64(restored, 0))
  if (epoch === null) return damage
  const known = Buffer.from(restored)
  known.writeInt32BE(epoch, leaderEpochField)
  return { ...damage, restored: known }
}

function byPosition(a: SegmentDamage, b: SegmentDamage): number {
  return a.position - b.position
}
