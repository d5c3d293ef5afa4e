import type { Clock } from '@varve/log'
import { HandlerRunningError } from './handling-errors.ts'

/**
 * So long closing waits for handlers: less than a group does for a member that is handling, before
 * it counts as stuck and what it has done is not committed any more.
 */
const waitMs = 240_000

/** Calls of handlers, so that closing can tell that one of them waits for it. */
export class HandlerCalls {
  /** Those that have not given their promise yet. */
  #count = 0

  call(handle: () => Promise<void> | void): Promise<void> | void {
    this.#count++
    try {
      return handle()
    } finally {
      this.#count--
    }
  }

  /**
   * What closing gives whoever asked for it. A handler that waits for that waits for itself: where
   * that is seen it is refused at once, and after four minutes in any case; closing goes on.
   * Rejects with HandlerRunningError, and as `closing` does.
   */
  whenClosed(closing: Promise<void>, clock: Clock): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = (): void => reject(new HandlerRunningError())
      if (this.#count > 0) refuse()
      const timer = clock.setTimer(waitMs, refuse)
      void closing.then(resolve, reject).finally(() => timer.cancel())
    })
  }
}
