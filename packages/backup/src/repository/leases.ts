import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '@varve/log'
import { LeaseLostError, RepositoryBusyError } from '../base/backup-errors.ts'
import type { StoredFile, Target } from '../target/target.ts'

export const leasesPrefix = 'leases/'

/** How often whoever holds a lease says that it is alive. */
const renewalMs = 60_000

/**
 * A lease that nobody has renewed for so long is of somebody who is gone. By the clock of the
 * store, which stamps all of them.
 */
const expiryMs = 15 * 60_000

/** What tells that objects are being added, or that unused ones are being removed. */
export type LeaseKind = 'backup' | 'sweep'

/**
 * Keeps adding and removing objects apart: any number may add at once, and one may remove alone.
 * Each leaves its mark first and looks for the other's then, so at least one of two sees the other.
 */
export class Lease {
  readonly kind: LeaseKind
  readonly #key: string
  readonly #target: Target
  readonly #clock: Clock
  #timer: Timer | null = null
  #isReleased = false
  /** When the renewal began that succeeded last. */
  #renewedMs = Number.NEGATIVE_INFINITY

  private constructor(kind: LeaseKind, key: string, target: Target, clock: Clock) {
    this.kind = kind
    this.#key = key
    this.#target = target
    this.#clock = clock
  }

  /** Rejects with RepositoryBusyError when the other kind of work goes on. */
  static async take(kind: LeaseKind, target: Target, clock: Clock): Promise<Lease> {
    const key = `${leasesPrefix}${kind}-${randomBytes(8).toString('hex')}`
    const lease = new Lease(kind, key, target, clock)
    await lease.#write()
    try {
      const others = await othersOf(target, key)
      const blocking = others.filter(
        (other) => kind === 'sweep' || other.key.startsWith(`${leasesPrefix}sweep-`),
      )
      if (blocking.length > 0) {
        throw new RepositoryBusyError(
          target.name,
          blocking.map((other) => other.key),
        )
      }
    } catch (error) {
      await target.remove(key)
      throw error
    }
    lease.#renewLater()
    return lease
  }

  /**
   * Makes sure that nobody can have counted this one as gone, as happens to a process that stands
   * still for long: what is done right after this is done in time. Rejects with LeaseLostError.
   */
  async confirm(): Promise<void> {
    const isThere = (await this.#target.stat(this.#key)) !== null
    const ageMs = this.#clock.monotonic() - this.#renewedMs
    if (!isThere || ageMs > expiryMs / 2) throw new LeaseLostError(this.#key)
  }

  /** When it was taken, or renewed last, by the clock of the store. */
  async storeTimeMs(): Promise<number> {
    await this.#write()
    const stat = await this.#target.stat(this.#key)
    if (stat === null) throw new LeaseLostError(this.#key)
    return stat.modifiedMs
  }

  async release(): Promise<void> {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#timer?.cancel()
    await this.#target.remove(this.#key)
  }

  async #write(): Promise<void> {
    const startedMs = this.#clock.monotonic()
    await this.#target.put(this.#key, Buffer.from(`${this.kind}\n`), { mode: 'replace' })
    this.#renewedMs = startedMs
  }

  #renewLater(): void {
    this.#timer = this.#clock.setTimer(renewalMs, () => {
      // One that fails is made good by the next; for too long, and the lease is found lost.
      const renewed = this.#write().catch(() => undefined)
      void renewed.then(async () => {
        if (!this.#isReleased) this.#renewLater()
        // It was written while it was being released.
        else await this.#target.remove(this.#key).catch(() => undefined)
      })
    })
  }
}

/** The leases of others that count, those that expired removed. */
async function othersOf(target: Target, own: string): Promise<readonly StoredFile[]> {
  const all: StoredFile[] = []
  for await (const file of target.list(leasesPrefix)) all.push(file)
  // What the store's clock says now: our own lease was written this moment.
  const nowMs = all.find(({ key }) => key === own)?.modifiedMs ?? Number.NEGATIVE_INFINITY
  const others = all.filter(({ key }) => key !== own)
  const expired = others.filter(({ modifiedMs }) => nowMs - modifiedMs > expiryMs)
  for (const { key } of expired) await target.remove(key)
  return others.filter((file) => !expired.includes(file))
}
