/** Makes a key or a value into bytes. A string is taken as UTF-8; null is a null key or value. */
export interface Serializer<T> {
  /** Throws what it likes: the send rejects with that. */
  serialize(data: T, topic: string): Uint8Array | string | null
}

/**
 * Makes bytes into a key or a value. Null keys and values (tombstones) are not handed to it: they
 * stay null.
 */
export interface Deserializer<T> {
  /** Throws what it likes: whoever asks the record for its key or value gets that. */
  deserialize(bytes: Buffer, topic: string): T
}

/** Both directions of one form (Kafka's Serde). */
export interface Serde<T> extends Serializer<T>, Deserializer<T> {}

/** Bytes as they are; what a consumer uses unless told otherwise. */
export const bytesSerde: Serde<Buffer> = {
  serialize: (data) => data,
  deserialize: (bytes) => bytes,
}

/** Strings, as UTF-8; bytes that are not UTF-8 become U+FFFD. */
export const stringSerde: Serde<string> = {
  serialize: (data) => data,
  deserialize: (bytes) => bytes.toString('utf8'),
}

/**
 * JSON as UTF-8. `undefined` is a null value, and so is `null`: a record whose value is null
 * deletes its key where a topic is compacted. What JSON cannot say (functions, symbols) is refused
 * with a TypeError.
 */
export const jsonSerde: Serde<unknown> = {
  serialize(data) {
    if (data === undefined || data === null) return null
    const text: string | undefined = JSON.stringify(data)
    if (text === undefined) throw new TypeError(`JSON has no form for a ${typeof data}`)
    return text
  },
  deserialize: (bytes) => JSON.parse(bytes.toString('utf8')) as unknown,
}
