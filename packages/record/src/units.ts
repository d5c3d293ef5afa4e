// Numbers of different meaning that must not be mixed up. The brands are optional, so a plain
// number fits either, but an Offset cannot be handed over where a FilePosition is wanted.

/** Logical number of a record in its log: 0 … 2^53-1. */
export type Offset = number & { readonly __unit?: 'Offset' }

/** Byte position in a file. */
export type FilePosition = number & { readonly __unit?: 'FilePosition' }

/** Milliseconds since the epoch; -1 where a record has none. */
export type Timestamp = number & { readonly __unit?: 'Timestamp' }
