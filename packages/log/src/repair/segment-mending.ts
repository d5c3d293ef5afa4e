import type { FilePosition } from '@varve/record'
import { type File, type FileSystem, writeFully } from '../storage/file-system.ts'
import { chunks, keepStretch } from './kept-files.ts'

/** What is to be changed in a `.log`. */
export interface Mending {
  readonly path: string
  /** Stretches to be taken out, in order. */
  readonly removed: readonly Stretch[]
  /** Headers to be put right, by the position of their batch. */
  readonly restored: ReadonlyMap<FilePosition, Buffer>
}

export interface Stretch {
  readonly position: FilePosition
  readonly sizeBytes: number
}

/**
 * Changes a `.log` so that at any moment either the old file is there or the new one, whole. What
 * is taken out is kept in files beside it, durable before it goes; their paths are returned. A
 * crash in here leads to the same work again.
 */
export async function mendSegment(
  fs: FileSystem,
  directory: string,
  mending: Mending,
): Promise<readonly string[]> {
  const { path, removed, restored } = mending
  const file = fs.open(path, 'write')
  try {
    const sizeBytes = file.sizeBytes()
    const kept: string[] = []
    for (const stretch of removed) {
      const end = stretch.position + stretch.sizeBytes
      const keptIn = await keepStretch(fs, file, stretch.position, end)
      if (keptIn !== null) kept.push(keptIn)
    }
    await fs.syncDirectory(directory)
    const [only] = removed
    const isTail = removed.length === 1 && only !== undefined && restored.size === 0
    if (isTail && only.position + only.sizeBytes === sizeBytes) {
      file.truncate(only.position)
      await file.datasync()
      return kept
    }
    await writeMended(fs, file, sizeBytes, mending)
    fs.rename(`${path}.tmp`, path)
    await fs.syncDirectory(directory)
    return kept
  } finally {
    file.close()
  }
}

async function writeMended(
  fs: FileSystem,
  file: File,
  sizeBytes: number,
  mending: Mending,
): Promise<void> {
  const mended = fs.open(`${mending.path}.tmp`, 'replace')
  try {
    let written = 0
    for (const { from, to } of keptStretches(sizeBytes, mending.removed)) {
      for await (const { bytes, position } of chunks(file, from, to)) {
        await writeFully(mended, bytes, written + position - from)
      }
      for (const [position, header] of mending.restored) {
        if (position < from || position >= to) continue
        await writeFully(mended, header, written + position - from)
      }
      written += to - from
    }
    await mended.datasync()
  } finally {
    mended.close()
  }
}

/** What lies between the stretches that are taken out. */
function keptStretches(
  sizeBytes: number,
  removed: readonly Stretch[],
): readonly { readonly from: FilePosition; readonly to: FilePosition }[] {
  const kept: { from: FilePosition; to: FilePosition }[] = []
  let from = 0
  for (const stretch of removed) {
    kept.push({ from, to: stretch.position })
    from = stretch.position + stretch.sizeBytes
  }
  kept.push({ from, to: sizeBytes })
  return kept.filter((stretch) => stretch.to > stretch.from)
}
