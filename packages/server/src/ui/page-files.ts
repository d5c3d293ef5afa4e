import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { nodeFileSystem } from '@varve/log'
import { readSmallFile } from '@varve/log/files'

export interface PageFile {
  readonly bytes: Buffer
  readonly contentType: string
  /** Another one where the bytes are others. */
  readonly tag: string
}

const contentTypes: ReadonlyMap<string, string> = new Map([
  ['html', 'text/html; charset=utf-8'],
  ['css', 'text/css; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['svg', 'image/svg+xml'],
])

const fileBytesMax = 256 * 1024

/** As the package has them: what is written by hand, and what the compiler has made. */
const directories = ['../../page', '../../dist/page']

let loaded: ReadonlyMap<string, PageFile> | null = null

/** The files of the page by their names, `index.html` and all; read once. */
export function pageFiles(): ReadonlyMap<string, PageFile> {
  loaded ??= load()
  return loaded
}

function load(): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>()
  for (const directory of directories) {
    const path = fileURLToPath(new URL(directory, import.meta.url))
    for (const name of nodeFileSystem.list(path)) {
      const contentType = contentTypes.get(name.split('.').at(-1) ?? '')
      if (contentType === undefined) continue
      const read = readSmallFile(nodeFileSystem, `${path}/${name}`, fileBytesMax)
      if (read === null) continue
      const bytes = withoutIndentation(read)
      const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 16)}"`
      files.set(name, { bytes, contentType, tag })
    }
  }
  return files
}

/** A fifth of what is sent would be spaces: no text in these files goes over several lines. */
function withoutIndentation(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('utf8').replace(/^ +/gm, ''))
}
