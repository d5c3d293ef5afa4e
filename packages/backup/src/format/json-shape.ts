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

/**
 * Reads JSON that somebody else may have written: each method gives a value of the wanted shape or
 * throws CorruptRepositoryError, which names the file and the place in it.
 */
export class JsonShape {
  readonly #value: unknown
  readonly #key: string
  readonly #path: string

  private constructor(value: unknown, key: string, path: string) {
    this.#value = value
    this.#key = key
    this.#path = path
  }

  /** @param key of the file in the repository, for errors */
  static parse(bytes: Buffer, key: string): JsonShape {
    try {
      return new JsonShape(JSON.parse(bytes.toString('utf8')), key, '')
    } catch (error) {
      throw new CorruptRepositoryError(key, 'it is not JSON', { cause: error })
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
    return new JsonShape(field, this.#key, `${this.#path}.${name}`)
  }

  /** Null stays null. */
  optional<Result>(read: (shape: JsonShape) => Result): Result | null {
    return this.#value === null || this.#value === undefined ? null : read(this)
  }

  list<Result>(read: (shape: JsonShape) => Result): readonly Result[] {
    if (!Array.isArray(this.#value)) return this.fail('a list')
    return this.#value.map((item, index) =>
      read(new JsonShape(item, this.#key, `${this.#path}[${index}]`)),
    )
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
    throw new CorruptRepositoryError(this.#key, `${this.#path || 'it'} is not ${wanted}`)
  }
}
