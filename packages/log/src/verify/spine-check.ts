import { type FilePosition, type Offset, readBatchAt, VarveError } from '@varve/record'
import { type SegmentDigest, SpineDigest, spineBytesPerBatch } from '../format/segment-digest.ts'
import type { File } from '../storage/file-system.ts'
import { type SegmentDamage, type SurveyOptions, surveySegment } from './segment-survey.ts'
import { findFlippedSpineBit } from './spine-difference.ts'

/** Which changes of headers explain a spine that is not the digest's. */
export interface SpineExplanation {
  /** Whether the digest agrees with it. */
  readonly isProved: boolean
  /** For damage that was known: the header as it was, or null when that is not proved. */
  readonly damages: ReadonlyMap<FilePosition, Buffer | null>
  /** Batches that were taken for strangers and have the header that they had: others misled. */
  readonly right: ReadonlySet<FilePosition>
  /** Damage that only the spine shows. */
  readonly altered: readonly SegmentDamage[]
}

interface Headers {
  readonly spine: number
  readonly batches: number
}

interface FoundHeader {
  readonly position: FilePosition
  readonly header: Buffer
}

/**
 * Explains why the headers of a segment are not those that its digest was made of. Two explanations
 * are accepted, because the digest proves them: the damaged headers were as is supposed; one bit of
 * one header was flipped, with what is supposed of the others or without. Else it is only known
 * that something in the segment was changed.
 */
export async function explainSpine(
  log: File,
  options: SurveyOptions,
  digest: SegmentDigest,
  damages: readonly SegmentDamage[],
): Promise<SpineExplanation> {
  const walk = { ...options, sizeBytes: digest.sizeBytes, decodesRecords: false }
  const fitting = new Map<FilePosition, Buffer>()
  for (const { position, restored } of damages) {
    if (restored !== null) fitting.set(position, restored)
  }
  for (const patches of fitting.size > 0 ? [fitting, noPatches] : [noPatches]) {
    const explanation = await explainWith(log, walk, digest, damages, patches)
    if (explanation !== null) return explanation
  }
  const altered = [unexplained(digest, options.baseOffset)]
  return { isProved: false, damages: new Map(), right: new Set(), altered }
}

const noPatches: ReadonlyMap<FilePosition, Buffer> = new Map()

/** The explanation with these headers put right, and at most one bit more; null when it fails. */
async function explainWith(
  log: File,
  walk: SurveyOptions,
  digest: SegmentDigest,
  damages: readonly SegmentDamage[],
  patches: ReadonlyMap<FilePosition, Buffer>,
): Promise<SpineExplanation | null> {
  const known = new Map<FilePosition, Buffer | null>()
  for (const { kind, position } of damages) {
    const patch = patches.get(position) ?? null
    if (patch !== null || kind === 'misplaced') known.set(position, patch)
  }
  const { spine, batches } = await readHeaders(log, walk, patches)
  if (batches !== digest.batches) return null
  const right = new Set<FilePosition>()
  for (const [position, patch] of known) if (patch === null) right.add(position)
  if (spine === digest.spineCrc32c) return { isProved: true, damages: known, right, altered: [] }
  const bit = findFlippedSpineBit(digest.spineCrc32c, spine, batches)
  if (bit === null) return null
  const found = await findHeader(log, walk, patches, bit.batch)
  if (found === null) return null
  const restored = Buffer.from(found.header)
  restored[bit.byte] = (restored[bit.byte] ?? 0) ^ bit.mask
  const { position } = found
  right.delete(position)
  const damage = damages.find((it) => it.position === position)
  if (damage === undefined) {
    const altered = alteredBatch(log, position, restored)
    return altered === null ? null : { isProved: true, damages: known, right, altered: [altered] }
  }
  // With the right header the batch must be right altogether.
  if (alteredBatch(log, position, restored) !== null) known.set(position, restored)
  return { isProved: true, damages: known, right, altered: [] }
}

/** The spine of the headers that are there, some of them put right. */
async function readHeaders(
  log: File,
  walk: SurveyOptions,
  patches: ReadonlyMap<FilePosition, Buffer>,
): Promise<Headers> {
  const spine = new SpineDigest()
  await surveySegment(log, walk, {
    header: (bytes, position) => spine.add(patches.get(position) ?? bytes),
    damage: () => undefined,
  })
  return { spine: spine.value, batches: spine.batches }
}

async function findHeader(
  log: File,
  walk: SurveyOptions,
  patches: ReadonlyMap<FilePosition, Buffer>,
  batch: number,
): Promise<FoundHeader | null> {
  let found: FoundHeader | null = null
  let number = 0
  await surveySegment(log, walk, {
    header: (bytes, position) => {
      if (number === batch) {
        const header = patches.get(position) ?? bytes.subarray(0, spineBytesPerBatch)
        found = { position, header: Buffer.from(header) }
      }
      number += 1
    },
    damage: () => undefined,
  })
  return found
}

/** The batch at a position with its right header as damage; null when even so it is no batch. */
function alteredBatch(log: File, position: FilePosition, header: Buffer): SegmentDamage | null {
  const sizeBytes = header.readInt32BE(8) + 12
  if (!(sizeBytes >= spineBytesPerBatch && position + sizeBytes <= log.sizeBytes())) return null
  const bytes = Buffer.alloc(sizeBytes)
  log.readSync(bytes, position)
  header.copy(bytes)
  try {
    const batch = readBatchAt(bytes, 0, bytes.length, position)
    if (batch === null || !batch.isChecksumValid()) return null
    const firstOffset = batch.magic === 2 ? batch.baseOffset : batch.lastOffset
    const { lastOffset } = batch
    const reason = 'its header is not the one that the digest was made of: a bit was flipped'
    const place = { position, sizeBytes, firstOffset, lastOffset, reason }
    return { kind: 'altered', ...place, isFollowed: true, restored: header }
  } catch (error) {
    if (error instanceof VarveError) return null
    throw error
  }
}

function unexplained(digest: SegmentDigest, baseOffset: Offset): SegmentDamage {
  const reason =
    'headers in the segment are not those that its digest was made of; which ones is not known'
  return {
    kind: 'altered',
    position: 0,
    sizeBytes: digest.sizeBytes,
    firstOffset: baseOffset,
    lastOffset: digest.nextOffset - 1,
    reason,
    isFollowed: true,
    restored: null,
  }
}
