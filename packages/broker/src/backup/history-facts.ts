import type { GroupOffsetRecord, RecordHistory } from '@varve/backup'
import type { LogRecord } from '@varve/record'
import type { TopicSettings } from '../base/topic-settings.ts'
import { readGroupRecord } from '../groups/group-record.ts'
import { catalogueFileName, decodeCatalogue } from '../topics/catalogue-file.ts'

/** What a record of `__consumer_offsets` says of an offset; null for one about something else. */
export function readGroupOffset(record: LogRecord): GroupOffsetRecord | null {
  const read = readGroupRecord(record)
  if (read.kind !== 'offsetCommit') return null
  const { key, value } = read
  return { ...key, value: value && { offset: value.offset, metadata: value.metadata } }
}

/** The settings that topics were given, by name, where a catalogue knows. */
export function settingsInHistory({
  files,
}: Pick<RecordHistory, 'files'>): ReadonlyMap<string, TopicSettings> {
  const file = files.find(({ name }) => name === catalogueFileName)
  if (file === undefined) return new Map()
  const { topics } = decodeCatalogue(file.bytes, catalogueFileName)
  const there = topics.filter(({ isDeleting }) => !isDeleting)
  return new Map(there.map(({ name, settings }) => [name, settings]))
}
