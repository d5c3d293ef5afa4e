import { type FileSystem, StorageError } from '@varve/log'
import { readSmallFile, replaceSmallFile } from '@varve/log/files'
import { InvalidArgumentError } from '@varve/record'
import { CatalogueFullError, CorruptCatalogueError } from '../base/broker-errors.ts'
import { decodeCheckedJson, encodeCheckedJson } from '../base/checked-json.ts'
import { checkTopicName } from '../base/topic-names.ts'
import { checkTopicSettings, type TopicSettings } from '../base/topic-settings.ts'

/** A topic as the catalogue has it. */
export interface CataloguedTopic {
  readonly name: string
  /** Kafka's notation of a UUID: 22 characters. */
  readonly topicId: string
  readonly partitions: number
  /** The directories of partitions 0 to this one, exclusive, have been made. */
  readonly made: number
  /** It is gone for everybody, though some of its directories may still be there. */
  readonly isDeleting: boolean
  /** Those that it was given; the others are defaults. */
  readonly settings: TopicSettings
}

/** What a data directory knows beside its logs. */
export interface Catalogue {
  /** No producer id from this one on has been handed out. */
  readonly nextProducerId: number
  readonly topics: readonly CataloguedTopic[]
}

/** In the data directory. Kafka looks at directories only, and leaves it alone. */
export const catalogueFileName = 'varve-catalogue'

const format = { magic: 'VCAT', version: 1 } as const

/** 100,000 topics with some settings each. */
const catalogueBytesMax = 32 * 2 ** 20
const partitionsMax = 2 ** 31 - 1

export function encodeCatalogue(catalogue: Catalogue): Buffer {
  return encodeCheckedJson(format, catalogue)
}

/** Throws CorruptCatalogueError. */
export function decodeCatalogue(bytes: Buffer, path: string): Catalogue {
  const fail = (reason: string): never => {
    throw new CorruptCatalogueError(path, reason)
  }
  const found = decodeCheckedJson(format, bytes, fail)
  try {
    return catalogueOf(found)
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

/** Null when there is none. Throws CorruptCatalogueError. */
export function readCatalogue(fs: FileSystem, directory: string): Catalogue | null {
  const bytes = readCatalogueBytes(fs, directory)
  return bytes === null ? null : decodeCatalogue(bytes, cataloguePath(directory))
}

/** The file as it is: to see whether it has changed. Null when there is none. */
export function readCatalogueBytes(fs: FileSystem, directory: string): Buffer | null {
  return readSmallFile(fs, cataloguePath(directory), catalogueBytesMax)
}

function cataloguePath(directory: string): string {
  return `${directory}/${catalogueFileName}`
}

/**
 * Whole or not at all; durable when it resolves. Rejects with StorageError, and with
 * CatalogueFullError for one that could not be read again.
 */
export async function writeCatalogue(
  fs: FileSystem,
  directory: string,
  catalogue: Catalogue,
): Promise<void> {
  const path = cataloguePath(directory)
  const bytes = encodeCatalogue(catalogue)
  if (bytes.length > catalogueBytesMax) throw new CatalogueFullError(catalogueBytesMax)
  try {
    await replaceSmallFile(fs, path, bytes)
  } catch (error) {
    throw error instanceof Error ? new StorageError(`writing ${path}`, error) : error
  }
}

/** Right by its checksum, yet nothing is believed that could not have been written. */
function catalogueOf(found: unknown): Catalogue {
  const { nextProducerId, topics } = objectOf(found, 'the catalogue')
  if (!isCount(nextProducerId, Number.MAX_SAFE_INTEGER)) refuse('nextProducerId', nextProducerId)
  if (!Array.isArray(topics)) refuse('topics', topics)
  return { nextProducerId, topics: topics.map(topicOf) }
}

function topicOf(found: unknown): CataloguedTopic {
  const { name, topicId, partitions, made, isDeleting, settings } = objectOf(found, 'a topic')
  checkTopicName(name)
  if (typeof topicId !== 'string' || !/^[A-Za-z0-9_-]{22}$/.test(topicId)) {
    refuse('topicId', topicId)
  }
  if (!isCount(partitions, partitionsMax) || partitions === 0) refuse('partitions', partitions)
  if (!isCount(made, partitions)) refuse('made', made)
  if (typeof isDeleting !== 'boolean') refuse('isDeleting', isDeleting)
  const checked = checkTopicSettings(settings as TopicSettings)
  return { name, topicId, partitions, made, isDeleting, settings: checked }
}

function objectOf(found: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof found !== 'object' || found === null) refuse(what, found)
  return found as Readonly<Record<string, unknown>>
}

function isCount(value: unknown, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max
}

function refuse(name: string, value: unknown): never {
  throw new InvalidArgumentError(name, value, 'is not what a catalogue holds')
}
