import type { LogOptions } from '../../src/base/log-options.ts'
import type { Life } from './life.ts'

/** A segment holds some ten records, and has several index entries. */
export const small = { segmentBytes: 900, indexIntervalBytes: 120 } as const satisfies LogOptions

/** A log of several sealed segments, flushed. */
export async function filled(life: Life, name = 't-0', rounds = 5): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    life.append(name, 4, { acks: 'written' })
    life.append(name, 3, { acks: round % 2 === 0 ? 'flushed' : 'none' })
    await life.settle()
  }
  await life.flush(name)
}

export async function startSmall(life: Life): Promise<void> {
  await life.open()
  await life.create('t')
  await filled(life)
}
