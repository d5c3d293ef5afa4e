import { readBatches, VarveError } from '@varve/record'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import { decodeObject } from '../format/object-file.ts'
import { ObjectNaming } from '../format/object-id.ts'
import type { ObjectOutcome, ObjectTask } from './object-task.ts'

/** Whoever turns files of data objects into their content. */
export interface ObjectDecoder {
  /** Never rejects for what is wrong with the object. */
  decode(task: ObjectTask): Promise<ObjectOutcome>
  close(): Promise<void>
}

/** In the thread of the caller. */
export function inlineDecoder(): ObjectDecoder {
  return {
    decode: async (task) => decodeTask(task),
    close: async () => {},
  }
}

/** Proves that an object is what its id says, and that every batch in it is sound. */
export function decodeTask(task: ObjectTask): ObjectOutcome {
  const { file, room } = task
  const memory = room === null ? [file] : [file, room]
  try {
    const content = decodeObject(bufferOf(task.file), namingOf(task.idKey), {
      kind: 'data',
      id: bufferOf(task.id),
      epochKey: task.epochKey && bufferOf(task.epochKey),
      repositoryId: bufferOf(task.repositoryId),
      contentBytesMax: task.sizeBytes,
      key: task.key,
      isInPlace: true,
      ...(room !== null && { into: bufferOf(room) }),
    })
    if (content.length !== task.sizeBytes) {
      const reason = `it has ${content.length} bytes, the backup says ${task.sizeBytes}`
      return { isSound: false, reason, memory }
    }
    if (task.hasBatches) checkBatches(content)
    return { isSound: true, content: task.isWanted ? content : null, memory }
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    const reason = error instanceof CorruptRepositoryError ? error.reason : error.message
    return { isSound: false, reason, memory }
  }
}

function checkBatches(content: Buffer): void {
  const batches = readBatches(content)
  for (let next = batches.next(); ; next = batches.next()) {
    if (next.done === true) {
      if (next.value === 0) return
      throw new CorruptRepositoryError('', `${next.value} bytes at its end are no batch`)
    }
    next.value.validate()
  }
}

function namingOf(idKey: Uint8Array | null): ObjectNaming {
  return new ObjectNaming(idKey === null ? null : bufferOf(idKey))
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
