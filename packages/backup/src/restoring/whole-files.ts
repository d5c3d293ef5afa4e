import type { File, FileSystem } from '@varve/log'

/**
 * Writes files whole and flushed, but for their names: for directories that nobody looks into
 * before these are durable too.
 */
export async function writeFiles(
  fs: FileSystem,
  directory: string,
  files: ReadonlyArray<{ readonly name: string; readonly bytes: Uint8Array }>,
): Promise<void> {
  await allDone(files.map(({ name, bytes }) => writeFile(fs, `${directory}/${name}`, bytes)))
}

async function writeFile(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = fs.open(path, 'replace')
  try {
    await writeAll(file, bytes, 0)
    await file.datasync()
  } finally {
    file.close()
  }
}

/** Goes on after short writes. */
export async function writeAll(file: File, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const count = await file.write(bytes.subarray(written), position + written)
    if (count === 0) throw Object.assign(new Error(`no progress in ${file.path}`), { code: 'EIO' })
    written += count
  }
}

/** Resolves or rejects when none of them goes on: with the first failure. */
export async function allDone(work: ReadonlyArray<Promise<void>>): Promise<void> {
  const failed = (await Promise.allSettled(work)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}
