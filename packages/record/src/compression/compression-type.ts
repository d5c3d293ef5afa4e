/** Names of the codecs, as in Kafka's `compression.type`. */
export type CompressionType = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** A codec's number in a batch's attributes is its place here. Kafka's `CompressionType`. */
const compressionTypes: readonly CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Bits of a batch's attributes that hold the codec's number; the same in all magics. */
export const compressionMask = 0x07

/** The codec of number `id`; undefined for the numbers 5 to 7, which mean nothing. */
export function compressionTypeOf(id: number): CompressionType | undefined {
  return compressionTypes[id]
}

/** The number of `type`; -1 for anything that is not a codec's name. */
export function compressionIdOf(type: CompressionType): number {
  return compressionTypes.indexOf(type)
}
