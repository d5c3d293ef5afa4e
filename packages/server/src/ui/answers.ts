// What the page is told, as JSON. Types only: the server and the page share them.

/** How the server is and what it allows: the first thing that the page asks. */
export interface SessionAnswer {
  readonly clusterId: string
  readonly nodeId: number
  /** Whether anything can be changed. */
  readonly writes: boolean
  /** To be sent with every change; null where none is allowed. */
  readonly token: string | null
  readonly health: HealthAnswer
}

export interface HealthAnswer {
  readonly status: 'ok' | 'degraded' | 'failing'
  readonly reasons: readonly { readonly log: string; readonly message: string }[]
}

export interface TopicsAnswer {
  readonly topics: readonly TopicRow[]
  /** How many there are that were not asked for, or do not fit. */
  readonly leftOut: number
}

export interface TopicRow {
  readonly name: string
  readonly isInternal: boolean
  readonly partitions: number
  /** Partitions that cannot be used. */
  readonly offline: number
  /** Offsets between start and high watermark: compaction may have removed some of them. */
  readonly records: number
  readonly sizeBytes: number
  readonly segments: number
  readonly cleanupPolicy: readonly string[]
  readonly retentionMs: number
  readonly retentionBytes: number
  /** The sum of the high watermarks: how fast it grows is the rate of production. */
  readonly produced: number
}

export interface TopicAnswer {
  readonly name: string
  readonly topicId: string
  readonly isInternal: boolean
  readonly settings: readonly SettingAnswer[]
  readonly partitionCount: number
  readonly partitions: readonly PartitionAnswer[]
  readonly nowMs: number
}

export interface SettingAnswer {
  readonly name: string
  readonly value: string
  readonly isDefault: boolean
}

export interface PartitionAnswer {
  readonly partition: number
  /** Why it cannot be used; null where it can, and then all of the following counts. */
  readonly error: string | null
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logEndOffset: number
  /** Records below it are durable. */
  readonly flushedOffset: number
  /** Where recovery would begin. */
  readonly recoveryPoint: number
  readonly leaderEpoch: number
  readonly sizeBytes: number
  readonly segmentCount: number
  /** Everything below has been compacted; null where the topic is not. */
  readonly compactedTo: number | null
  /** The newest ones, oldest first, the active one last. */
  readonly segments: readonly SegmentAnswer[]
}

export interface SegmentAnswer {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly sizeBytes: number
  /** Of the first batch, and the largest; -1 where there is none. */
  readonly firstTimestamp: number
  readonly maxTimestamp: number
  readonly isActive: boolean
}

export interface RecordsAnswer {
  readonly records: readonly RecordAnswer[]
  /** Where to go on, for the same question; null where everything has been looked at. */
  readonly next: string | null
  readonly scannedRecords: number
  readonly scannedBytes: number
  /** Partitions that were not looked at, because there are too many at once. */
  readonly partitionsLeftOut: number
}

export interface RecordAnswer {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: BytesAnswer | null
  readonly value: BytesAnswer | null
  readonly headers: readonly HeaderAnswer[]
  readonly headersLeftOut: number
}

export interface HeaderAnswer {
  readonly key: string
  readonly value: BytesAnswer | null
}

/** Bytes of a record, or the first of them. */
export interface BytesAnswer {
  /** Of all of them. */
  readonly size: number
  /** How many are here. */
  readonly shown: number
  /** Where they are UTF-8. */
  readonly text?: string
  /** Where they are not. */
  readonly base64?: string
}

/** An event of the live tail. */
export interface TailAnswer {
  readonly records: readonly RecordAnswer[]
  /** Records that came faster than they could be shown. */
  readonly skipped: number
}

export interface GroupsAnswer {
  readonly groups: readonly GroupRow[]
  readonly leftOut: number
}

export interface GroupRow {
  readonly group: string
  readonly state: string
  readonly members: number
  readonly topics: number
  /** Null where nothing is committed of anything that is there. */
  readonly lag: number | null
}

export interface GroupAnswer {
  readonly group: string
  readonly state: string
  readonly protocolType: string
  readonly protocol: string | null
  readonly generation: number
  readonly members: readonly MemberAnswer[]
  readonly offsets: readonly GroupOffsetAnswer[]
}

export interface MemberAnswer {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** What it reads; null while that is being shared out, and where it is not understood. */
  readonly assigned: readonly AssignedAnswer[] | null
}

export interface AssignedAnswer {
  readonly topic: string
  readonly partitions: readonly number[]
}

export interface GroupOffsetAnswer {
  readonly topic: string
  readonly partition: number
  readonly committedOffset: number
  readonly metadata: string
  /** Null where the partition is gone or cannot be used. */
  readonly logStartOffset: number | null
  readonly highWatermark: number | null
  readonly lag: number | null
}

export interface CleaningAnswer {
  readonly nowMs: number
  readonly logs: readonly CleanedLogAnswer[]
  readonly leftOut: number
  readonly failures: readonly CleaningFailureAnswer[]
  /** Newest first. */
  readonly runs: readonly CleaningRunAnswer[]
}

export interface CleanedLogAnswer {
  readonly log: string
  readonly policy: readonly string[]
  readonly sizeBytes: number
  readonly retention: {
    /** What would go now. */
    readonly segments: number
    readonly sizeBytes: number
    readonly reasons: readonly string[]
    readonly heldBy: readonly string[]
  }
  /** Null where the topic is not compacted. */
  readonly compaction: {
    readonly cleanBytes: number
    readonly dirtyBytes: number
    readonly dirtyRatio: number
    readonly minDirtyRatio: number
    readonly firstDirtyOffset: number
    /** Why it is due; null where it is not. */
    readonly reason: string | null
  } | null
  /** Why nothing can be said of it; null where it can. */
  readonly error: string | null
}

export interface CleaningFailureAnswer {
  readonly log: string
  readonly task: string
  readonly error: string
  readonly attempts: number
  readonly retryAtMs: number
}

export interface CleaningRunAnswer {
  readonly atMs: number
  readonly log: string
  readonly task: 'retention' | 'compaction'
  readonly reason: string
  readonly inputBytes: number
  readonly outputBytes: number
  readonly segments: number
  readonly durationMs: number | null
}

export interface BackupsAnswer {
  readonly nowMs: number
  readonly repositories: readonly RepositoryAnswer[]
}

export interface RepositoryAnswer {
  readonly name: string
  /** When it was last looked at; null while that is under way for the first time. */
  readonly lookedMs: number | null
  readonly error: string | null
  readonly objects: number
  readonly storedBytes: number
  readonly sources: readonly {
    readonly source: string
    readonly backups: number
    readonly newestMs: number
    readonly newestVerifiedMs: number | null
    readonly damaged: number
  }[]
  readonly lastDrill: {
    readonly atMs: number
    readonly recoveryMs: number
    readonly findings: number
  } | null
}

export interface ServerAnswer {
  readonly nowMs: number
  readonly uptimeMs: number
  readonly directory: string
  readonly node: string
  readonly residentBytes: number
  readonly topics: number
  readonly partitions: number
  readonly sizeBytes: number
  readonly health: HealthAnswer
  readonly listeners: readonly ListenerAnswer[]
  readonly connections: readonly ConnectionAnswer[]
  readonly connectionsLeftOut: number
}

export interface ListenerAnswer {
  readonly name: string
  readonly address: string
  readonly advertised: string
  readonly connections: number
}

export interface ConnectionAnswer {
  readonly id: number
  readonly listener: string
  readonly host: string
  readonly principal: string
  readonly software: string
  readonly openRequests: number
}

/** What a change has done, in words. */
export interface ChangeAnswer {
  readonly done: string
}

export interface ErrorAnswer {
  readonly error: string
  readonly code: string
}
