import { crc32c } from '@varve/record'

/** Which of Varve's own files it is. */
export interface CheckedJsonFormat {
  /** Four characters, with which the file begins. */
  readonly magic: string
  readonly version: number
}

// Big-endian:
//
//   4 bytes  magic
//   int32    version
//   uint32   length of the text
//   …        the text: JSON in UTF-8
//   uint32   CRC-32C of everything before
const versionAt = 4
const lengthAt = 8
const textAt = 12
const crcBytes = 4

/** A small file that holds one value, and can tell whether it is whole. */
export function encodeCheckedJson({ magic, version }: CheckedJsonFormat, value: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(value), 'utf8')
  const bytes = Buffer.alloc(textAt + text.length + crcBytes)
  bytes.write(magic, 0, 'latin1')
  bytes.writeInt32BE(version, versionAt)
  bytes.writeUInt32BE(text.length, lengthAt)
  text.copy(bytes, textAt)
  const crcAt = textAt + text.length
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, crcAt)), crcAt)
  return bytes
}

/**
 * What such a file holds. Right by its checksum, but nothing is known of what the value is.
 *
 * @param fail throws the error of whoever owns the file
 */
export function decodeCheckedJson(
  { magic, version }: CheckedJsonFormat,
  bytes: Buffer,
  fail: (reason: string) => never,
): unknown {
  if (bytes.length < textAt + crcBytes) return fail(`it has ${bytes.length} bytes`)
  if (bytes.toString('latin1', 0, versionAt) !== magic) {
    return fail(`it does not begin with ${magic}`)
  }
  const crcAt = bytes.length - crcBytes
  if (bytes.readUInt32BE(crcAt) !== crc32c(bytes.subarray(0, crcAt))) {
    return fail('its checksum does not match')
  }
  const found = bytes.readInt32BE(versionAt)
  if (found !== version) return fail(`its version is ${found}, known is ${version}`)
  if (bytes.readUInt32BE(lengthAt) !== crcAt - textAt) {
    return fail('its length is not what it says')
  }
  try {
    return JSON.parse(bytes.toString('utf8', textAt, crcAt))
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}
