import type { Offset } from '@varve/record'
import type { Log } from '../../src/log.ts'

/** What one process after the other was promised, as it told its parent. */
export class KillLedger {
  /** By offset: the key of the record that was acknowledged there. */
  readonly #acknowledged = new Map<Offset, string>()
  #deletedBefore: Offset = 0
  #deletingBefore: Offset = 0
  readonly #compacting: Array<{ readonly start: Offset; readonly end: Offset }> = []
  readonly #compacted: Array<{ readonly start: Offset; readonly end: Offset }> = []
  acknowledgements = 0
  compactions = 0
  deletions = 0

  /** A line that a process wrote before it was killed. */
  note(life: number, line: string): void {
    const [word = '', ...rest] = line.split(' ')
    const [first = 0, second = 0, serial = 0] = rest.map(Number)
    if (word === 'acknowledged') {
      this.acknowledgements += 1
      for (let index = 0; index < second; index += 1) {
        this.#acknowledged.set(first + index, `${life}:${serial + index}`)
      }
    }
    if (word === 'deleting') this.#deletingBefore = Math.max(this.#deletingBefore, first)
    if (word === 'deleted') {
      this.deletions += 1
      this.#deletedBefore = Math.max(this.#deletedBefore, first)
    }
    if (word === 'compacting') this.#compacting.push({ start: first, end: second })
    if (word === 'compacted') {
      this.compactions += 1
      this.#compacted.push({ start: first, end: second })
    }
  }

  /** Reads the log and compares; returns what is wrong, and counts its records. */
  async compare(log: Log): Promise<{ readonly problems: string[]; readonly records: number }> {
    const problems: string[] = []
    const { logStartOffset, logEndOffset } = log
    if (logStartOffset < this.#deletedBefore) problems.push(`it starts at ${logStartOffset}`)
    if (logStartOffset > this.#deletingBefore) problems.push(`it starts at ${logStartOffset}`)
    const keys = new Set<string>()
    let expected = logStartOffset
    let records = 0
    let last = { life: -1, serial: -1 }
    for await (const { offset, key } of log.reader({ from: logStartOffset }).records()) {
      records += 1
      for (; expected < offset; expected += 1) this.#checkMissing(expected, problems)
      expected = offset + 1
      if (isIn(this.#compacted, offset) && offset % 5 === 0) problems.push(`${offset} came back`)
      const found = String(key)
      const wanted = this.#acknowledged.get(offset)
      if (wanted !== undefined && wanted !== found) problems.push(`${offset} is ${found}`)
      if (keys.has(found)) problems.push(`${found} is there twice, at ${offset}`)
      keys.add(found)
      const [life = 0, serial = 0] = found.split(':').map(Number)
      const isLater = life > last.life || (life === last.life && serial > last.serial)
      if (!isLater) problems.push(`${found} at ${offset} is out of order`)
      last = { life, serial }
    }
    for (; expected < logEndOffset; expected += 1) this.#checkMissing(expected, problems)
    for (const [offset, key] of this.#acknowledged) {
      if (offset >= logEndOffset) problems.push(`${key} at ${offset} is missing`)
      if (offset < logStartOffset) this.#acknowledged.delete(offset)
    }
    return { problems, records }
  }

  #checkMissing(offset: Offset, problems: string[]): void {
    if (offset % 5 === 0 && isIn(this.#compacting, offset)) return
    problems.push(`offset ${offset} is missing`)
  }
}

function isIn(
  ranges: ReadonlyArray<{ readonly start: Offset; readonly end: Offset }>,
  offset: Offset,
): boolean {
  return ranges.some(({ start, end }) => offset >= start && offset < end)
}
