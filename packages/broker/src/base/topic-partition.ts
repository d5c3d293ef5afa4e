/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `<topic>-<partition>`: the name of its log, and of its directory. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}
