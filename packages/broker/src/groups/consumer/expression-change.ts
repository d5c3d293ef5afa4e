import type { ConsumerGroupMember } from './consumer-group-member.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'
import { checkExpression } from './topic-expression.ts'

/** What it means to a group that a member has, or has not any more, a regular expression. */
export class ExpressionChange {
  /** Whether it is another than before. */
  readonly isAnother: boolean
  /** Whether it is known by now what topics the member reads. */
  readonly isResolved: boolean
  /** Whether nobody had it before. */
  readonly isUnknown: boolean
  /** The one that nobody has any more; null for none. */
  readonly dropped: string | null
  readonly records: readonly ConsumerGroupRecord[]

  /** Throws InvalidExpressionError for one that is none. */
  constructor(
    state: ConsumerGroupState,
    group: string,
    { topicRegex: before }: ConsumerGroupMember,
    { topicRegex: now }: ConsumerGroupMember,
    replaced: ConsumerGroupMember | null,
  ) {
    this.isAnother = before !== now
    const hasOthers = (expression: string): boolean => {
      // Whose place is taken counts no more than who takes it.
      const own = expression === (replaced?.topicRegex ?? before) ? 1 : 0
      return state.readers(expression) - own > 0
    }
    this.dropped = this.isAnother && before !== '' && !hasOthers(before) ? before : null
    this.isUnknown = this.isAnother && now !== '' && state.readers(now) === 0
    if (this.isUnknown) checkExpression(group, now)
    this.isResolved =
      this.isAnother && (now === '' ? before !== '' : !this.isUnknown && state.expressions.has(now))
    this.records =
      this.dropped === null
        ? []
        : [{ kind: 'expression', group, expression: this.dropped, value: null }]
  }
}
