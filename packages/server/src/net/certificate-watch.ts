import type { Logger } from '@varve/broker'
import type { Clock, Timer } from '@varve/log'

/** What can be told to look at its certificate again. */
interface Renewable {
  readonly name: string
  reloadCertificate(): boolean
}

/** How often the files are looked at, in ms. */
const lookMs = 30_000

/**
 * Looks now and then whether the files of certificates hold something else, so that whoever renews
 * them need not tell the server. Files that cannot be used change nothing, and are complained of
 * until they can.
 */
export class CertificateWatch {
  readonly #listeners: readonly Renewable[]
  readonly #clock: Clock
  readonly #logger: Logger
  #timer: Timer

  constructor(listeners: readonly Renewable[], clock: Clock, logger: Logger) {
    this.#listeners = listeners
    this.#clock = clock
    this.#logger = logger
    this.#timer = this.#setTimer()
  }

  stop(): void {
    this.#timer.cancel()
  }

  #setTimer(): Timer {
    return this.#clock.setTimer(lookMs, () => {
      for (const listener of this.#listeners) this.#look(listener)
      this.#timer = this.#setTimer()
    })
  }

  #look(listener: Renewable): void {
    const { name } = listener
    try {
      if (!listener.reloadCertificate()) return
      this.#logger.info({ listener: name }, 'a listener shows a new certificate')
    } catch (error) {
      const text = 'the files of a certificate cannot be used: the old one is shown'
      this.#logger.error({ err: error, listener: name }, text)
    }
  }
}
