import type { Offset } from '@varve/record'

/** What an append is told when it is acknowledged. */
export interface AppendResult {
  /** Offset of its first record; -1 with `acks: 'none'`, which does not wait to learn it. */
  readonly baseOffset: Offset
  /** Offset of its last record; -1 likewise. */
  readonly lastOffset: Offset
  /** Whether an idempotent producer had sent this batch before: nothing was appended again. */
  readonly isDuplicate: boolean
}
