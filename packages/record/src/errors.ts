/**
 * The root of every error that Varve raises for a cause outside the program: bytes, arguments, the
 * operating system. A mistake of Varve's own is an `AssertionError` instead.
 */
export abstract class VarveError extends Error {
  /** Stable, unique; each has a section in `docs/errors.md`. */
  abstract readonly code: `VARVE_${string}`
  /** Whether the same call can succeed later without anything being changed by the caller. */
  readonly retriable: boolean = false
  /** What to do about it, where that is known. */
  readonly hint?: string

  constructor(message: string, options: { readonly cause?: unknown; readonly hint?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    if (options.hint !== undefined) this.hint = options.hint
  }
}

/** Bytes that should be a record batch are not a valid one. */
export class CorruptBatchError extends VarveError {
  readonly code = 'VARVE_CORRUPT_BATCH'
  /** What is wrong, without the place. */
  readonly reason: string
  /** Byte position of the batch in the file or buffer it was read from. */
  readonly position: number

  constructor(reason: string, position: number, options: { readonly cause?: unknown } = {}) {
    super(`corrupt record batch at position ${position}: ${reason}`, options)
    this.reason = reason
    this.position = position
  }
}

/** A batch is well formed but uses a format or codec that this version does not know. */
export class UnsupportedFormatError extends VarveError {
  readonly code = 'VARVE_UNSUPPORTED_FORMAT'
}

/** Decompressed, the batch would be larger than the limit that the reader set. */
export class DecompressionLimitError extends VarveError {
  readonly code = 'VARVE_DECOMPRESSION_LIMIT'
  readonly limitBytes: number

  constructor(limitBytes: number) {
    super(`the decompressed records exceed the limit of ${limitBytes} bytes`, {
      hint: "raise the reader's maxDecompressedBytes if the data is trusted",
    })
    this.limitBytes = limitBytes
  }
}

/** A native package that this operation needs cannot be loaded. */
export class NativeModuleError extends VarveError {
  readonly code = 'VARVE_NATIVE_MODULE'
  readonly packageName: string

  constructor(packageName: string, purpose: string, cause: unknown) {
    super(`the native package '${packageName}', needed for ${purpose}, cannot be loaded`, {
      cause,
      hint: `install it for this platform: npm install ${packageName} (a C++ toolchain may be needed)`,
    })
    this.packageName = packageName
  }
}

/** An argument or option is outside what the function accepts. */
export class InvalidArgumentError extends VarveError {
  readonly code = 'VARVE_INVALID_ARGUMENT'
  readonly argument: string

  constructor(argument: string, value: unknown, rule: string) {
    super(`${argument} is ${describe(value)}: ${rule}`)
    this.argument = argument
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 80 ? `${value.slice(0, 80)}…` : value}'`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value === 'object' && value !== null) return `a ${value.constructor?.name ?? 'object'}`
  return String(value)
}
