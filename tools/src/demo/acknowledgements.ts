import { writeSync } from 'node:fs'
import { type FlushEvent, logChannels } from '@varve/log'
import type { AcknowledgedRecord, WriterMessage } from './writer-messages.ts'

/** Records acknowledged together are told together, in the same turn of the event loop. */
export class Acknowledgements {
  #records: AcknowledgedRecord[] = []
  #flushes = 0
  #isScheduled = false

  constructor() {
    logChannels.flush.subscribe((event) => {
      const { records } = event as FlushEvent
      if (records > 0) this.#flushes += 1
    })
  }

  add(record: AcknowledgedRecord): void {
    this.#records.push(record)
    if (this.#isScheduled) return
    this.#isScheduled = true
    process.nextTick(() => this.tell())
  }

  tell(): void {
    this.#isScheduled = false
    if (this.#records.length === 0) return
    tell({ type: 'acknowledged', records: this.#records, flushes: this.#flushes })
    this.#records = []
  }
}

/** Synchronous, so that what was told is with the reader even if this process dies now. */
export function tell(message: WriterMessage): void {
  const line = Buffer.from(`${JSON.stringify(message)}\n`)
  for (let written = 0; written < line.length; ) {
    try {
      written += writeSync(1, line, written)
    } catch (error) {
      // The pipe is full: its reader is busy, and there is nothing to do but try again.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
    }
  }
}
