import type { FileStat } from '../storage/file-system.ts'
import type { FileContent } from './file-content.ts'
import { systemError } from './system-error.ts'

/** A file or directory apart from its names, as an inode is. Ids are never reused. */
export type TreeNode = FileNode | DirectoryNode

export class FileNode {
  readonly isDirectory = false
  readonly id: number
  content: FileContent
  modifiedMs: number

  constructor(id: number, content: FileContent, modifiedMs: number) {
    this.id = id
    this.content = content
    this.modifiedMs = modifiedMs
  }
}

export class DirectoryNode {
  readonly isDirectory = true
  readonly id: number
  readonly entries: Map<string, TreeNode> = new Map()
  readonly modifiedMs: number

  constructor(id: number, modifiedMs: number) {
    this.id = id
    this.modifiedMs = modifiedMs
  }
}

/** Where a name stands: what it is the name of is `directory.entries.get(name)`. */
export interface Place {
  readonly directory: DirectoryNode
  readonly name: string
}

/** Linux's NAME_MAX. */
const nameBytesMax = 255

export const rootId = 0

/** The names of a simulated file system and what they lead to, with POSIX's rules and errors. */
export class FileTree {
  readonly root: DirectoryNode
  #nextId: number

  constructor(root: DirectoryNode = new DirectoryNode(rootId, 0), nextId: number = rootId + 1) {
    this.root = root
    this.#nextId = nextId
  }

  get nextId(): number {
    return this.#nextId
  }

  takeId(): number {
    this.#nextId += 1
    return this.#nextId - 1
  }

  /** What is at `path`, or null. A file in the place of a directory is ENOTDIR. */
  find(path: string, syscall: string): TreeNode | null {
    let node: TreeNode = this.root
    for (const name of namesOf(path)) {
      if (!node.isDirectory) throw systemError('ENOTDIR', syscall, path)
      if (name.length * 3 > nameBytesMax && Buffer.byteLength(name) > nameBytesMax) {
        throw systemError('ENAMETOOLONG', syscall, path)
      }
      const next = node.entries.get(name)
      if (next === undefined) return null
      node = next
    }
    return node
  }

  get(path: string, syscall: string): TreeNode {
    const node = this.find(path, syscall)
    if (node === null) throw systemError('ENOENT', syscall, path)
    return node
  }

  file(path: string, syscall: string): FileNode {
    const node = this.get(path, syscall)
    if (node.isDirectory) throw systemError('EISDIR', syscall, path)
    return node
  }

  directory(path: string, syscall: string): DirectoryNode {
    const node = this.get(path, syscall)
    if (!node.isDirectory) throw systemError('ENOTDIR', syscall, path)
    return node
  }

  /** The place of a name whose directory exists. The root has none (EPERM). */
  place(path: string, syscall: string): Place {
    const names = namesOf(path)
    const name = names.pop()
    if (name === undefined) throw systemError('EPERM', syscall, path)
    if (Buffer.byteLength(name) > nameBytesMax) throw systemError('ENAMETOOLONG', syscall, path)
    const node = this.get(`/${names.join('/')}`, syscall)
    if (!node.isDirectory) throw systemError('ENOTDIR', syscall, path)
    return { directory: node, name }
  }

  /** Every path but the root's, in order, with what is there. */
  walk(visit: (path: string, node: TreeNode) => void): void {
    walkFrom(this.root, '', visit)
  }

  /** Files' bytes are shared until written; nodes keep their ids. */
  clone(): FileTree {
    const files = new Map<number, FileNode>()
    return new FileTree(cloneDirectory(this.root, files), this.#nextId)
  }
}

export function statOf(node: TreeNode): FileStat {
  return {
    fileId: node.id,
    isDirectory: node.isDirectory,
    sizeBytes: node.isDirectory ? directorySizeBytes : node.content.sizeBytes,
    modifiedMs: node.modifiedMs,
  }
}

/** Whether `directory` is `ancestor` or lies below it. */
export function isWithin(directory: DirectoryNode, ancestor: TreeNode): boolean {
  if (directory === ancestor) return true
  if (!ancestor.isDirectory) return false
  for (const node of ancestor.entries.values()) {
    if (node.isDirectory && isWithin(directory, node)) return true
  }
  return false
}

const directorySizeBytes = 4096

/** A relative path counts from the root. */
function namesOf(path: string): string[] {
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue
    if (name === '..') names.pop()
    else names.push(name)
  }
  return names
}

function walkFrom(
  directory: DirectoryNode,
  path: string,
  visit: (path: string, node: TreeNode) => void,
): void {
  for (const name of [...directory.entries.keys()].sort()) {
    const node = directory.entries.get(name) as TreeNode
    visit(`${path}/${name}`, node)
    if (node.isDirectory) walkFrom(node, `${path}/${name}`, visit)
  }
}

function cloneDirectory(directory: DirectoryNode, files: Map<number, FileNode>): DirectoryNode {
  const clone = new DirectoryNode(directory.id, directory.modifiedMs)
  for (const [name, node] of directory.entries) {
    if (node.isDirectory) {
      clone.entries.set(name, cloneDirectory(node, files))
      continue
    }
    // A file with two names stays one file.
    let file = files.get(node.id)
    if (file === undefined) {
      file = new FileNode(node.id, node.content.clone(), node.modifiedMs)
      files.set(node.id, file)
    }
    clone.entries.set(name, file)
  }
  return clone
}
