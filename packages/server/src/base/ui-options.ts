import type { Repository } from '@varve/backup'

/** What the page at `/ui/` shows, and what it may do. */
export interface UiOptions {
  /** Whether it may change anything: topics, records, groups, cleaning. @defaultValue false */
  readonly writes?: boolean
  /** Backup repositories whose state is shown; whoever opened them closes them. @defaultValue [] */
  readonly repositories?: readonly Repository[]
}
