import { createHash, createHmac } from 'node:crypto'

/** What an object holds. The number is in its header, and in what its id is computed with. */
export const objectKinds = { data: 0, partition: 1, manifest: 2 } as const

export type ObjectKind = keyof typeof objectKinds

/** Bytes of an object id. */
export const objectIdBytes = 32

/**
 * Names objects by what they hold: SHA-256 of it; in an encrypted repository HMAC-SHA-256 under a
 * key that only those who write or read it have, so that a name tells nobody else what is in an
 * object, and nobody else can make one that is believed. Each kind of object has a key of its own:
 * what a producer wrote can never stand for a manifest.
 */
export class ObjectNaming {
  /** Null where objects are not encrypted. */
  readonly idKey: Buffer | null
  readonly #keys: ReadonlyMap<ObjectKind, Buffer> | null

  constructor(idKey: Buffer | null) {
    this.idKey = idKey
    const kinds = Object.keys(objectKinds) as ObjectKind[]
    this.#keys = idKey && new Map(kinds.map((kind) => [kind, kindKey(idKey, kind)]))
  }

  idOf(kind: ObjectKind, content: Uint8Array): Buffer {
    const key = this.#keys?.get(kind)
    const hash = key === undefined ? createHash('sha256') : createHmac('sha256', key)
    return hash.update(content).digest()
  }
}

function kindKey(idKey: Buffer, kind: ObjectKind): Buffer {
  return createHmac('sha256', idKey).update(`varve object ${objectKinds[kind]}`).digest()
}
