import type { DirectoryMaker } from './directory-maker.ts'
import { engineLogs } from './engine-logs.ts'
import { plainSegments } from './plain-segments.ts'

/** Every way in which Varve makes partition directories. */
export const makers: readonly DirectoryMaker[] = [plainSegments, engineLogs]
