import { crc32c } from '@varve/record'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import { setPattern } from './manifest.ts'
import { objectIdBytes } from './object-id.ts'

// Which objects a backup needs, for those who keep a repository tidy and may not read it.
// Big-endian:
//
//    0   4  magic 'VREF'
//    4   4  version, 1
//    8   4  number of sets
//        for each set:
//            1  length of its name
//            n  the name, ASCII
//            4  number of ids
//           32  each id, in order, none twice
//        4  CRC-32C of everything before
const magic = 0x56524546
const version = 1
const countsAt = 8
const crcBytes = 4

/** Ids of objects, as hex, by the set in which they lie. */
export type ObjectReferences = ReadonlyMap<string, ReadonlySet<string>>

export function encodeReferences(references: ObjectReferences): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt32BE(magic, 0)
  head.writeUInt32BE(version, 4)
  head.writeUInt32BE(references.size, countsAt)
  const parts = [head]
  for (const [set, ids] of references) {
    const prefix = Buffer.alloc(1 + set.length + 4)
    prefix.writeUInt8(set.length, 0)
    prefix.write(set, 1, 'latin1')
    prefix.writeUInt32BE(ids.size, 1 + set.length)
    parts.push(prefix, ...[...ids].sort().map((id) => Buffer.from(id, 'hex')))
  }
  const body = Buffer.concat(parts)
  const crc = Buffer.alloc(crcBytes)
  crc.writeUInt32BE(crc32c(body), 0)
  return Buffer.concat([body, crc])
}

/** Throws CorruptRepositoryError. */
export function decodeReferences(bytes: Buffer, key: string): ObjectReferences {
  const fail = (reason: string): never => {
    throw new CorruptRepositoryError(key, reason)
  }
  const end = bytes.length - crcBytes
  if (end < 12 || bytes.readUInt32BE(0) !== magic) return fail('it does not begin with VREF')
  if (bytes.readUInt32BE(end) !== crc32c(bytes.subarray(0, end))) {
    return fail('its checksum does not match')
  }
  if (bytes.readUInt32BE(4) !== version) return fail(`its version is ${bytes.readUInt32BE(4)}`)
  const references = new Map<string, ReadonlySet<string>>()
  let at = 12
  for (let left = bytes.readUInt32BE(countsAt); left > 0; left--) {
    const nameBytes = at < end ? bytes.readUInt8(at) : end
    const idsAt = at + 1 + nameBytes + 4
    if (idsAt > end) return fail('it ends too early')
    const set = bytes.toString('latin1', at + 1, at + 1 + nameBytes)
    if (!setPattern.test(set)) return fail('a set has a wrong name')
    const idsEnd = idsAt + objectIdBytes * bytes.readUInt32BE(idsAt - 4)
    if (idsEnd > end) return fail('it ends too early')
    const ids = new Set<string>()
    for (at = idsAt; at < idsEnd; at += objectIdBytes) {
      ids.add(bytes.toString('hex', at, at + objectIdBytes))
    }
    references.set(set, ids)
  }
  return at === end ? references : fail('bytes are left over')
}
