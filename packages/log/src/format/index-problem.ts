import type { FilePosition } from '@varve/record'

/**
 * Why an index file was not read to its end.
 *
 * - `padding`: zeros to the end, as Kafka leaves the active segment's preallocated indexes when it
 *   dies. Not damage: the index just says nothing about what follows.
 * - `length`: the file ends within an entry.
 * - `order`: an entry does not follow the one before it.
 * - `range`: a field has a value that no writer gives it.
 */
export interface IndexProblem {
  readonly kind: 'padding' | 'length' | 'order' | 'range'
  /** Number of the first entry that was not read; all before it are in the index. */
  readonly entry: number
  /** Where that entry starts in the file. */
  readonly position: FilePosition
  /** What is wrong, without the place. */
  readonly reason: string
}

export interface DecodedIndex<Index> {
  /** Holds the entries before the problem, all of them when there is none. */
  readonly index: Index
  readonly problem: IndexProblem | null
}
