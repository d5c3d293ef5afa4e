import type { CompressionType } from '@varve/record'
import type { Acks } from '../base/log-options.ts'
import type { AppendOrigin } from './append-queue.ts'

/** How one append is done. */
export interface AppendOptions {
  /** When the append is acknowledged. @defaultValue the log's `acks` */
  readonly acks?: Acks
  /** Codec of the batch. @defaultValue the log's `compressionType` */
  readonly compressionType?: CompressionType
}

/** How a finished batch is appended. */
export interface AppendBatchOptions {
  /** When the append is acknowledged. @defaultValue the log's `acks` */
  readonly acks?: Acks
  /** A transaction coordinator may append control batches. @defaultValue 'client' */
  readonly origin?: AppendOrigin
}
