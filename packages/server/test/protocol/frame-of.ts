/** What lies behind the size of a frame that was encoded, which must be right. */
export function frameOf(pieces: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(pieces)
  const sizeBytes = bytes.readInt32BE(0)
  if (sizeBytes !== bytes.length - 4) {
    throw new Error(`a frame of ${bytes.length - 4} bytes says that it has ${sizeBytes}`)
  }
  return bytes.subarray(4)
}
