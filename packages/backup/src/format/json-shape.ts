import { createHash } from 'node:crypto'
import { CorruptRepositoryError } from '../base/backup-errors.ts'

/**
 * JSON for people to read, that shows when a bit of it was changed: its last field, `checksum`, is
 * the SHA-256 of the others as JSON without blanks.
 */
export function encodeCheckedJson(fields: object): Buffer {
  const checksum = createHash('sha256').update(JSON.stringify(fields)).digest('hex')
  return Buffer.from(`${JSON.stringify({ ...fields, checksum }, null, 2)}\n`)
}

/** Makes the error for a file whose field `path`, empty for all of it, is not as it must be. */
type ShapeError = (key: string, path: string, reason: string, cause?: unknown) => Error

const corrupt: ShapeError = (key, path, reason, cause) =>
  new CorruptRepositoryError(key, path === '' ? `it ${reason}` : `${path} ${reason}`, { cause })

/**
 * Reads JSON that somebody else may have written: each method gives a value of the wanted shape or
 * throws CorruptRepositoryError, which names the file and the place in it; another error where the
 * file is none of a repository.
 */
export class JsonShape {
  readonly #value: unknown
  readonly #key: string
  readonly #path: string
  readonly #errorOf: ShapeError

  private constructor(value: unknown, key: string, path: string, errorOf: ShapeError) {
    this.#value = value
    this.#key = key
    this.#path = path
    this.#errorOf = errorOf
  }

  /** @param key of the file in the repository, for errors */
  static parse(bytes: Buffer, key: string, errorOf: ShapeError = corrupt): JsonShape {
    try {
      return new JsonShape(JSON.parse(bytes.toString('utf8')), key, '', errorOf)
    } catch (error) {
      throw errorOf(key, '', 'is not JSON', error)
    }
  }

  /** What `encodeCheckedJson` made, and nothing else. */
  static parseChecked(bytes: Buffer, key: string): JsonShape {
    const shape = JsonShape.parse(bytes, key)
    const fields = shape.#value
    if (typeof fields !== 'object' || fields === null) return shape.fail('an object')
    const { checksum: _, ...others } = fields as Record<string, unknown>
    if (encodeCheckedJson(others).equals(bytes)) return shape
    throw new CorruptRepositoryError(key, 'its checksum does not match')
  }

  get(name: string): JsonShape {
    const value = this.#value
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return this.fail('an object')
    }
    const field = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
    return this.#within(field, `${this.#path}.${name}`)
  }

  /** For files that people write: what is misspelt is not passed over. */
  only(names: readonly string[]): this {
    const value = this.#value
    if (typeof value !== 'object' || value === null) return this.fail('an object')
    for (const name of Object.keys(value)) {
      if (names.includes(name)) continue
      this.get(name).refuse(`is not known; known are ${names.join(', ')}`)
    }
    return this
  }

  /** Null stays null. */
  optional<Result>(read: (shape: JsonShape) => Result): Result | null {
    return this.#value === null || this.#value === undefined ? null : read(this)
  }

  list<Result>(read: (shape: JsonShape) => Result): readonly Result[] {
    if (!Array.isArray(this.#value)) return this.fail('a list')
    return this.#value.map((item, index) => read(this.#within(item, `${this.#path}[${index}]`)))
  }

  /** A whole number of 0 to `max`. */
  count(max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#value
    if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max) {
      return value as number
    }
    return this.fail(`a whole number of 0 to ${max}`)
  }

  /** The one version that is known. */
  version(known: number): void {
    if (this.#value === known) return
    const reason = `its version is ${String(this.#value)}, known is ${known}`
    throw new CorruptRepositoryError(this.#key, reason)
  }

  integer(): number {
    return Number.isSafeInteger(this.#value) ? (this.#value as number) : this.fail('an integer')
  }

  number(): number {
    return Number.isFinite(this.#value) ? (this.#value as number) : this.fail('a number')
  }

  boolean(): boolean {
    return typeof this.#value === 'boolean' ? this.#value : this.fail('true or false')
  }

  text(pattern: RegExp = /^/): string {
    const value = this.#value
    if (typeof value === 'string' && pattern.test(value)) return value
    return this.fail(`a text like ${pattern.source}`)
  }

  oneOf<Name extends string>(names: readonly Name[]): Name {
    const found = names.find((name) => name === this.#value)
    return found ?? this.fail(`one of ${names.join(', ')}`)
  }

  hex(bytes: number): Buffer {
    const text = this.text(/^(?:[0-9a-f]{2})*$/)
    return text.length === 2 * bytes ? Buffer.from(text, 'hex') : this.fail(`${bytes} hex bytes`)
  }

  base64(): Buffer {
    return Buffer.from(this.text(/^[A-Za-z0-9+/]*={0,2}$/), 'base64')
  }

  /** Throws CorruptRepositoryError. */
  fail(wanted: string): never {
    return this.refuse(`is not ${wanted}`)
  }

  /** Throws CorruptRepositoryError. */
  refuse(reason: string, cause?: unknown): never {
    throw this.#errorOf(this.#key, this.#path, reason, cause)
  }

  #within(value: unknown, path: string): JsonShape {
    return new JsonShape(value, this.#key, path, this.#errorOf)
  }
}
