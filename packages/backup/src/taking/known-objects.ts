import { objectsPrefix } from '../repository/repository.ts'
import type { Target } from '../target/target.ts'

const idPattern = /^objects\/[^/]+\/[0-9a-f]{2}\/([0-9a-f]{64})$/

/**
 * The objects of a set that are in the repository already. Threads are given the first eight bytes
 * of each id, in memory that they share, so that they leave out work that has been done.
 */
export class KnownObjects {
  readonly #ids = new Set<string>()
  readonly #unneeded: ReadonlySet<string>
  #prefixes: BigUint64Array = new BigUint64Array(0)

  /** @param unneeded keys of objects that a sweep has found needed by nobody */
  constructor(unneeded: Iterable<string> = []) {
    this.#unneeded = new Set(unneeded)
  }

  /** Looks at what is there. */
  async load(target: Target, set: string): Promise<void> {
    const prefix = `${objectsPrefix}${set}/`
    for await (const { key } of target.list(prefix)) {
      const id = idPattern.exec(key)?.[1]
      if (id !== undefined) this.#ids.add(id)
    }
    await target.settle?.(prefix)
    const shared = new SharedArrayBuffer(8 * this.#ids.size)
    this.#prefixes = new BigUint64Array(shared)
    let index = 0
    for (const id of this.#ids) this.#prefixes[index++] = BigInt(`0x${id.slice(0, 16)}`)
    this.#prefixes.sort()
  }

  /**
   * How an object is to be stored: one that nobody has needed for a while is stored again, so that
   * whoever would remove it sees that it is needed now.
   */
  modeFor(key: string): 'new' | 'replace' {
    return this.#unneeded.has(key) ? 'replace' : 'new'
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  add(id: string): void {
    this.#ids.add(id)
  }

  /** Sorted. */
  get prefixes(): BigUint64Array {
    return this.#prefixes
  }
}
