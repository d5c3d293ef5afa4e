import type { LogOptions } from '../../src/base/log-options.ts'
import { OffsetCheckpointFile } from '../../src/format/offset-checkpoint.ts'
import {
  appendValues,
  bytesAt,
  createLog,
  fileOf,
  namesIn,
  type Place,
  putBytes,
  removePlace,
} from '../log-fixture.ts'

export const written: { readonly acks: 'written' } = { acks: 'written' }

/** A log whose process was killed: three segments of ten, nothing known to be flushed. */
export async function killedLog(
  place: Place,
  options: LogOptions = written,
  count = 30,
): Promise<{ readonly left: Place; remove(): void }> {
  const { directory, log } = await createLog(place, options)
  await appendValues(log, count, 10)
  const left = place.killed()
  await directory.close()
  // What was flushed on the way is forgotten, as a power cut forgets it.
  putBytes(left, 't-0/progress', Buffer.alloc(0))
  for (const name of namesIn(left).filter((name) => name.endsWith('.digest'))) {
    await left.fs.remove(`${left.path}/t-0/${name}`)
  }
  return { left, remove: () => removePlace(left) }
}

/** Position of each batch of one record that `appendValues` writes. */
export function positionsIn(place: Place, baseOffset: number): number[] {
  const bytes = bytesAt(place, `t-0/${fileOf(baseOffset)}`)
  const positions: number[] = []
  for (let at = 0; at < bytes.length; at += 12 + bytes.readInt32BE(at + 8)) positions.push(at)
  return positions
}

export function overwrite(
  place: Place,
  baseOffset: number,
  position: number,
  bytes: Uint8Array,
): void {
  const file = place.fs.open(`${place.path}/t-0/${fileOf(baseOffset)}`, 'write')
  file.writeSync(bytes, position)
  file.close()
}

export function truncate(place: Place, baseOffset: number, size: number): void {
  const file = place.fs.open(`${place.path}/t-0/${fileOf(baseOffset)}`, 'write')
  file.truncate(size)
  file.close()
}

export async function setRecoveryPoint(place: Place, offset: number): Promise<void> {
  const path = `${place.path}/recovery-point-offset-checkpoint`
  await new OffsetCheckpointFile(place.fs, path).write(new Map([['t-0', offset]]))
}

export const garbage: Buffer = Buffer.from('these bytes are no batch and never were one')
