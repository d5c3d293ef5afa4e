import type { Random } from '@varve/log/testing'
import type { ClientProgram } from '../../src/clients/client-program.ts'
import type { DrivenClient } from './driven-client.ts'
import { SharedGroup } from './shared-group.ts'

/** Starts a member of the group. */
export type StartMember = (program: ClientProgram, clientId: string) => DrivenClient

/**
 * A group in which the server divides (KIP-848), of members of several clients: one of each stays,
 * and a guest comes and goes, so that kills fall upon partitions that change hands.
 */
export class DealtGroup extends SharedGroup {
  readonly #stayers: readonly DrivenClient[]
  readonly #programs: readonly ClientProgram[]
  readonly #start: StartMember
  #guest: DrivenClient | null = null
  #guests = 0
  readonly #leaving: Promise<void>[] = []

  constructor(name: string, programs: readonly ClientProgram[], start: StartMember) {
    const stayers = programs.map((program, index) => start(program, `${name}-${index}`))
    super(name, stayers)
    this.#stayers = stayers
    this.#programs = programs
    this.#start = start
  }

  /** A guest comes, or the one that is there leaves, or dies without a word. */
  change(random: Random): void {
    const guest = this.#guest
    if (guest === null) {
      this.#guests += 1
      this.#guest = this.#start(random.pick(this.#programs), `${this.name}-guest-${this.#guests}`)
      this.add(this.#guest)
      return
    }
    this.#leaving.push(random.bool() ? guest.stop() : guest.kill())
    this.#guest = null
  }

  /** Rejects when a guest has not left as it should. */
  async leftAlone(): Promise<void> {
    if (this.#guest !== null) this.#leaving.push(this.#guest.stop())
    this.#guest = null
    await Promise.all(this.#leaving)
  }

  /** Every partition comes to exactly one of those who stay. */
  async untilDealt(partitions: number): Promise<void> {
    const all = Array.from({ length: partitions }, (_, partition) => partition)
    const [first] = this.#stayers
    await first?.until('one owner for each partition', () => {
      const held = this.#stayers.flatMap(({ assigned }) => assigned)
      return held.sort((one, other) => one - other).join() === all.join()
    })
  }

  /** Those who stay end as they should. */
  async stop(): Promise<void> {
    await Promise.all(this.#stayers.map((member) => member.stop()))
  }
}
