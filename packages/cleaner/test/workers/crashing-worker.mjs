import { writeFileSync } from 'node:fs'

/** Leaves half a segment behind and dies. */
export function compact({ task }) {
  writeFileSync(`${task.directory}/00000000000000000000.log.cleaned`, 'half')
  process.exit(7)
}
