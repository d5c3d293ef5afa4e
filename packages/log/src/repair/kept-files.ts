import type { FilePosition } from '@varve/record'
import { brokenSuffix } from '../storage/file-names.ts'
import { type File, type FileSystem, writeFully } from '../storage/file-system.ts'

/** Copied and compared at once. */
const chunkBytes = 1024 * 1024

/**
 * Copies a stretch of a file to a file beside it, `<path>.<from>.broken`, durably but for its name,
 * and returns that file's path. A copy that an interrupted call has left whole serves again; null
 * when there are only zeros, which hold nothing.
 */
export async function keepStretch(
  fs: FileSystem,
  file: File,
  from: FilePosition,
  to: FilePosition,
): Promise<string | null> {
  if (await isZero(file, from, to)) return null
  const stem = `${file.path}.${from}`
  for (let number = 1; ; number += 1) {
    const path = numbered(stem, number)
    if (fs.stat(path) === null) {
      await copyStretch(fs, file, from, to, path)
      return path
    }
    if (await isCopy(fs, path, file, from, to)) return path
  }
}

/** Renames a file to `<path>.broken`, or with a number before that, and returns its new path. */
export function setAside(fs: FileSystem, path: string): string {
  for (let number = 1; ; number += 1) {
    const kept = numbered(path, number)
    if (fs.stat(kept) !== null) continue
    fs.rename(path, kept)
    return kept
  }
}

/** Gives a file that is about to be replaced a second name, as {@link setAside} would name it. */
export function keepSecondName(fs: FileSystem, path: string): string {
  for (let number = 1; ; number += 1) {
    const kept = numbered(path, number)
    if (fs.stat(kept) !== null) continue
    fs.link(path, kept)
    return kept
  }
}

function numbered(stem: string, number: number): string {
  return number === 1 ? `${stem}${brokenSuffix}` : `${stem}.${number}${brokenSuffix}`
}

async function copyStretch(
  fs: FileSystem,
  file: File,
  from: FilePosition,
  to: FilePosition,
  path: string,
): Promise<void> {
  const kept = fs.open(path, 'create')
  try {
    for await (const { bytes, position } of chunks(file, from, to)) {
      await writeFully(kept, bytes, position - from)
    }
    await kept.datasync()
  } finally {
    kept.close()
  }
}

async function isCopy(
  fs: FileSystem,
  path: string,
  file: File,
  from: FilePosition,
  to: FilePosition,
): Promise<boolean> {
  const copy = fs.open(path, 'write')
  try {
    if (copy.sizeBytes() !== to - from) return false
    for await (const { bytes, position } of chunks(file, from, to)) {
      const other = Buffer.alloc(bytes.length)
      await copy.read(other, position - from)
      if (!other.equals(bytes)) return false
    }
    await copy.datasync()
    return true
  } finally {
    copy.close()
  }
}

async function isZero(file: File, from: FilePosition, to: FilePosition): Promise<boolean> {
  for await (const { bytes } of chunks(file, from, to)) {
    if (bytes.some((byte) => byte !== 0)) return false
  }
  return true
}

/** The bytes of a stretch, a piece at a time; views of memory that is used again. */
export async function* chunks(
  file: File,
  from: FilePosition,
  to: FilePosition,
): AsyncGenerator<{ readonly bytes: Buffer; readonly position: FilePosition }> {
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(chunkBytes, to - from)))
  for (let position = from; position < to; position += buffer.length) {
    const bytes = buffer.subarray(0, Math.min(buffer.length, to - position))
    const read = await file.read(bytes, position)
    if (read < bytes.length) throw shortened(file)
    yield { bytes, position }
  }
}

function shortened(file: File): Error {
  const text = `${file.path} became shorter while it was read`
  return Object.assign(new Error(text), { code: 'EIO', syscall: 'read', path: file.path })
}
