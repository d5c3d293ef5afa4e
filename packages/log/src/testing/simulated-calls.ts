import type { File, FileLock, FileStat, FileSystem, OpenMode } from '../storage/file-system.ts'
import { FileContent } from './file-content.ts'
import {
  DirectoryNode,
  FileNode,
  type FileTree,
  isWithin,
  type Place,
  statOf,
} from './file-tree.ts'
import type { NameOperation } from './operation-journal.ts'
import { SimulatedFile } from './simulated-file.ts'
import type { SimulatedKernel } from './simulated-kernel.ts'
import { type SystemErrorCode, systemError } from './system-error.ts'

/** The calls of a simulated file system, with the results and errors of the real one. */
export abstract class SimulatedCalls implements FileSystem {
  protected readonly kernel: SimulatedKernel

  constructor(kernel: SimulatedKernel) {
    this.kernel = kernel
  }

  open(path: string, mode: OpenMode): File {
    const isMaking = mode === 'create' || mode === 'replace'
    this.#enter('open', path, { isChange: isMaking, needsSpace: isMaking })
    const node = this.#openNode(path, mode)
    return new SimulatedFile(this.kernel, path, node, mode !== 'read')
  }

  list(directory: string): readonly string[] {
    this.#enter('scandir', directory, reading)
    return [...this.#tree.directory(directory, 'scandir').entries.keys()]
  }

  stat(path: string): FileStat | null {
    this.#enter('stat', path, reading)
    const node = this.#tree.find(path, 'stat')
    return node === null ? null : statOf(node)
  }

  makeDirectory(path: string): void {
    this.#enter('mkdir', path, making)
    const place = this.#tree.place(path, 'mkdir')
    if (place.directory.entries.has(place.name)) throw systemError('EEXIST', 'mkdir', path)
    const node = new DirectoryNode(this.#tree.takeId(), this.kernel.now())
    place.directory.entries.set(place.name, node)
    this.#recordNames('makeDirectory', path, node.id, [place])
  }

  rename(from: string, to: string): void {
    this.#enter('rename', from, making)
    const source = this.#tree.place(from, 'rename')
    const target = this.#tree.place(to, 'rename')
    const moved = source.directory.entries.get(source.name)
    if (moved === undefined) throw systemError('ENOENT', 'rename', from)
    const replaced = target.directory.entries.get(target.name)
    if (replaced === moved) return
    const refusal = renameRefusal(moved, replaced, target.directory)
    if (refusal !== null) throw systemError(refusal, 'rename', to)
    source.directory.entries.delete(source.name)
    target.directory.entries.set(target.name, moved)
    this.#recordNames('rename', from, moved.id, [source, target], { toPath: to })
  }

  link(existing: string, added: string): void {
    this.#enter('link', existing, making)
    const source = this.#tree.place(existing, 'link')
    const node = source.directory.entries.get(source.name)
    if (node === undefined) throw systemError('ENOENT', 'link', existing)
    const place = this.#tree.place(added, 'link')
    if (place.directory.entries.has(place.name)) throw systemError('EEXIST', 'link', added)
    if (node.isDirectory) throw systemError('EPERM', 'link', existing)
    place.directory.entries.set(place.name, node)
    const basis = { directory: source.directory.id, name: source.name }
    this.#recordNames('link', existing, node.id, [place], { toPath: added, basis })
  }

  setModifiedTime(path: string, timeMs: number): void {
    this.#enter('utime', path, changing)
    const node = this.#tree.file(path, 'utime')
    node.modifiedMs = timeMs
    this.kernel.record({ kind: 'setModifiedTime', path, node: node.id, timeMs })
  }

  async remove(path: string): Promise<void> {
    this.#enter('unlink', path, changing)
    await this.kernel.pass()
    this.kernel.assertPower({ syscall: 'unlink', path })
    const place = this.#tree.place(path, 'unlink')
    const node = place.directory.entries.get(place.name)
    if (node === undefined) throw systemError('ENOENT', 'unlink', path)
    if (node.isDirectory) throw systemError('EISDIR', 'unlink', path)
    place.directory.entries.delete(place.name)
    this.#recordNames('remove', path, node.id, [place])
    await this.kernel.pass()
  }

  async removeDirectory(path: string): Promise<void> {
    this.#enter('rmdir', path, changing)
    await this.kernel.pass()
    this.kernel.assertPower({ syscall: 'rmdir', path })
    const place = this.#tree.place(path, 'rmdir')
    const node = this.#tree.directory(path, 'rmdir')
    if (node.entries.size > 0) throw systemError('ENOTEMPTY', 'rmdir', path)
    place.directory.entries.delete(place.name)
    this.#recordNames('removeDirectory', path, node.id, [place])
    await this.kernel.pass()
  }

  async syncDirectory(path: string): Promise<void> {
    const node = this.#tree.directory(path, 'fsync')
    await this.kernel.flush('fsync', path, node)
  }

  async lock(path: string): Promise<FileLock | null> {
    this.#enter('flock', path, making)
    await this.kernel.pass()
    this.kernel.assertPower({ syscall: 'flock', path })
    const existing = this.#tree.find(path, 'open')
    if (existing !== null && this.kernel.locked.has(existing.id)) return null
    const node = existing === null ? this.#create(path) : this.#tree.file(path, 'open')
    return new SimulatedLock(this.kernel, path, node.id)
  }

  async freeBytes(path: string): Promise<number> {
    this.#enter('statfs', path, reading)
    this.#tree.get(path, 'statfs')
    const { capacityBytes } = this.kernel
    if (capacityBytes === Number.POSITIVE_INFINITY) return unlimitedFreeBytes
    return Math.max(0, capacityBytes - this.kernel.usedBytes())
  }

  get #tree(): FileTree {
    return this.kernel.tree
  }

  #enter(syscall: string, path: string, kind: { isChange: boolean; needsSpace: boolean }): void {
    this.kernel.enter({ syscall, path, ...kind })
  }

  #openNode(path: string, mode: OpenMode): FileNode {
    const existing = this.#tree.find(path, 'open')
    if (existing === null) {
      if (mode === 'read' || mode === 'write') throw systemError('ENOENT', 'open', path)
      return this.#create(path)
    }
    if (mode === 'create') throw systemError('EEXIST', 'open', path)
    if (existing.isDirectory) throw systemError('EISDIR', 'open', path)
    if (mode === 'replace' && existing.content.sizeBytes > 0) {
      existing.content.truncate(0)
      const timeMs = this.kernel.now()
      existing.modifiedMs = timeMs
      this.kernel.record({ kind: 'truncate', path, node: existing.id, sizeBytes: 0, timeMs })
    }
    return existing
  }

  #create(path: string): FileNode {
    const place = this.#tree.place(path, 'open')
    const node = new FileNode(this.#tree.takeId(), new FileContent(), this.kernel.now())
    place.directory.entries.set(place.name, node)
    this.#recordNames('create', path, node.id, [place])
    return node
  }

  /** Journals the names as they have become. */
  #recordNames(
    kind: NameOperation['kind'],
    path: string,
    node: number,
    places: readonly Place[],
    more: Pick<NameOperation, 'toPath' | 'basis'> = {},
  ): void {
    const changes = places.map(({ directory, name }) => {
      return { directory: directory.id, name, node: directory.entries.get(name)?.id ?? null }
    })
    this.kernel.record({ kind, path, node, changes, timeMs: this.kernel.now(), ...more })
  }
}

class SimulatedLock implements FileLock {
  readonly path: string
  readonly #kernel: SimulatedKernel
  readonly #node: number

  constructor(kernel: SimulatedKernel, path: string, node: number) {
    this.path = path
    this.#kernel = kernel
    this.#node = node
    kernel.locked.add(node)
    kernel.openPaths.set(this, path)
  }

  release(): void {
    if (this.#kernel.openPaths.delete(this)) this.#kernel.locked.delete(this.#node)
  }
}

const reading = { isChange: false, needsSpace: false }
const changing = { isChange: true, needsSpace: false }
const making = { isChange: true, needsSpace: true }

/** What a disk without limit claims to have free: 1 PiB. */
const unlimitedFreeBytes = 2 ** 50

/** POSIX's reasons for not renaming; null when there is none. */
function renameRefusal(
  moved: FileNode | DirectoryNode,
  replaced: FileNode | DirectoryNode | undefined,
  into: DirectoryNode,
): SystemErrorCode | null {
  if (isWithin(into, moved)) return 'EINVAL'
  if (replaced === undefined) return null
  if (!moved.isDirectory) return replaced.isDirectory ? 'EISDIR' : null
  if (!replaced.isDirectory) return 'ENOTDIR'
  return replaced.entries.size > 0 ? 'ENOTEMPTY' : null
}
