import type { LogState } from '../append/log-state.ts'
import { sealSegment } from '../append/seal-job.ts'
import {
  activeDigestFileName,
  isActiveDigestFileName,
  producerSnapshotFileName,
  progressFileName,
} from '../storage/file-names.ts'
import { writeDurably } from '../storage/file-system.ts'

/**
 * Leaves a flushed log as a clean restart wants it: indexes and digest of the active segment and a
 * producer snapshot at the log's end, all durable, so that nothing has to be read. A log that was
 * not changed since it was opened so is left alone.
 */
export async function closeLogFiles(state: LogState): Promise<void> {
  const { fs, directory, offsets, producers } = state
  await state.removals.finish()
  if (state.isUnchanged) return
  const { active } = state.segments
  if (state.options.preallocate) {
    const log = fs.open(active.path, 'write')
    try {
      log.truncate(active.sizeBytes)
      await log.datasync()
    } finally {
      log.close()
    }
  }
  // Those of earlier closings speak of segments that have grown or been sealed since.
  for (const name of fs.list(directory)) {
    if (isActiveDigestFileName(name)) await fs.remove(`${directory}/${name}`)
  }
  await sealSegment(fs, active, activeDigestFileName(active.baseOffset))
  const snapshotPath = `${directory}/${producerSnapshotFileName(offsets.logEndOffset)}`
  await writeDurably(fs, snapshotPath, producers.encodeSnapshot())
  await state.checkpoints.closed(offsets.logEndOffset)
  // A clean log needs no lower bounds, and whoever opens it next may not be Varve and cut it.
  const progressPath = `${directory}/${progressFileName}`
  state.files.forget(progressPath)
  if (fs.stat(progressPath) !== null) await fs.remove(progressPath)
  await fs.syncDirectory(directory)
}
