import type { Sample } from '../harness/contest.ts'
import { hashOf } from '../harness/result-hash.ts'
import type { BrokerUse } from './broker-use.ts'

/** What a broker takes now; and that with its part only of what it shares with others. */
export function memoryOf(use: BrokerUse): Sample {
  const aside = { 'proportional, MiB': use.proportionalMiB }
  return { value: use.residentMiB, hash: hashOf(), aside }
}
