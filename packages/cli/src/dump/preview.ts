import { utf8Text } from '../utf8.ts'

const previewBytesMax = 120

/**
 * Bytes for a person: as text where they are UTF-8, else as hexadecimal, cut where they are long.
 */
export function preview(bytes: Buffer | null): string {
  if (bytes === null) return 'null'
  const shown = bytes.subarray(0, previewBytesMax)
  const isWhole = shown.length === bytes.length
  const rest = isWhole ? '' : `… (${bytes.length} bytes)`
  const text = utf8Text(isWhole ? shown : withoutCutCharacter(shown))
  return text === null ? `0x${shown.toString('hex')}${rest}` : `${JSON.stringify(text)}${rest}`
}

/** Cutting may have split the last character: without it the rest is UTF-8 if the whole was. */
function withoutCutCharacter(bytes: Buffer): Buffer {
  for (let cut = 0; cut < 3 && cut < bytes.length; cut += 1) {
    const byte = bytes[bytes.length - 1 - cut] ?? 0
    if (byte < 0x80) return bytes.subarray(0, bytes.length - cut)
    if (byte >= 0xc0) return bytes.subarray(0, bytes.length - 1 - cut)
  }
  return bytes
}
