import { setImmediate as nextTurn } from 'node:timers/promises'
import { FuzzRandom } from './fuzz-random.ts'

/** A reader of bytes, and the inputs that it is given. */
export interface FuzzTarget {
  readonly name: string
  /** How many of a hundred inputs are for this one. */
  readonly share: number
  /** Makes an input, the same one for the same numbers. */
  make(random: FuzzRandom): Buffer
  /** Reads it. Throws what the reader lets out and must not, or a failed expectation. */
  read(input: Buffer, random: FuzzRandom): void | Promise<void>
}

/** How long one input may take. Honest work on the largest ones takes a few milliseconds. */
const inputMsMax = 2000

/**
 * Native packages and Node's zlib give memory back when the event loop turns, which it does for
 * whoever gets his bytes from a file or a socket.
 */
const inputsPerTurn = 16

/** What a campaign did. */
export interface FuzzReport {
  readonly inputs: number
  readonly inputsByTarget: ReadonlyMap<string, number>
  readonly inputsPerSecond: number
  readonly slowestMs: number
}

export interface FuzzOptions {
  readonly seed: number
  readonly inputs: number
  /** Told before every input, so that somebody else can see one that never ends. */
  readonly onInput?: (seed: number) => void
}

/**
 * Feeds the targets. Input number n is made from seed + n alone: a failure names that number, and
 * with it as the seed the same input comes first.
 */
export async function fuzz(
  targets: readonly FuzzTarget[],
  options: FuzzOptions,
): Promise<FuzzReport> {
  const wheel = targets.flatMap((target) => Array.from({ length: target.share }, () => target))
  const inputsByTarget = new Map<string, number>()
  const started = performance.now()
  let slowestMs = 0
  for (let index = 0; index < options.inputs; index++) {
    const seed = (options.seed + index) >>> 0
    if (index % inputsPerTurn === 0) await nextTurn()
    options.onInput?.(seed)
    const random = new FuzzRandom(seed)
    const target = random.pick(wheel)
    const input = target.make(random)
    const begun = performance.now()
    try {
      const reading = target.read(input, random)
      if (reading !== undefined) await reading
    } catch (error) {
      throw failure(target, seed, input, error)
    }
    const tookMs = performance.now() - begun
    if (tookMs > inputMsMax) {
      throw failure(target, seed, input, new Error(`it took ${Math.round(tookMs)} ms`))
    }
    slowestMs = Math.max(slowestMs, tookMs)
    inputsByTarget.set(target.name, (inputsByTarget.get(target.name) ?? 0) + 1)
  }
  const seconds = (performance.now() - started) / 1000
  const { inputs } = options
  return { inputs, inputsByTarget, inputsPerSecond: Math.round(inputs / seconds), slowestMs }
}

const shownBytesMax = 512

function failure(target: FuzzTarget, seed: number, input: Buffer, cause: unknown): Error {
  const shown = input.subarray(0, shownBytesMax).toString('hex')
  const rest = input.length > shownBytesMax ? ` … (${input.length} bytes)` : ''
  const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  return new Error(`VARVE_SEED=${seed} (${target.name}): ${why}\ninput: ${shown}${rest}`, { cause })
}

/** `VARVE_SEED`, or a drawn one, printed. */
export function fuzzSeed(name: string): number {
  const given = process.env['VARVE_SEED']
  const seed = given === undefined || given === '' ? Date.now() % 2 ** 32 : Number(given)
  process.stdout.write(`${name}: VARVE_SEED=${seed}\n`)
  return seed >>> 0
}
