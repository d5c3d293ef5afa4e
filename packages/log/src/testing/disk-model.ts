import assert from 'node:assert/strict'
import { type CrashVariant, fixedSurvivals, type Survival, survivalOf } from './crash-variant.ts'
import { DiskDirectory, DiskFile, UnflushedName } from './disk-nodes.ts'
import { FileContent } from './file-content.ts'
import { DirectoryNode, FileNode, FileTree, rootId, type TreeNode } from './file-tree.ts'
import type {
  FlushEnd,
  NameChange,
  NameOperation,
  Operation,
  Placement,
  Truncation,
  Write,
} from './operation-journal.ts'

/**
 * The disk below a simulated file system: what is durable on it, and what is not yet, as far as
 * the journal has been played to it. From that any crash can be drawn without changing the model,
 * so that the crashes after each operation in turn cost one pass over the journal.
 */
export class DiskModel {
  /** How many operations have been applied. */
  #applied = 0
  #journaled = 0
  #nextId: number
  readonly #files: Map<number, DiskFile> = new Map()
  readonly #directories: Map<number, DiskDirectory> = new Map()
  #unflushedNames: UnflushedName[] = []
  /** The last operation on each name, durable or not. */
  readonly #lastOnName: Map<string, UnflushedName> = new Map()
  /** What each flush that has started will promise a journal like ext4's. */
  readonly #startedFlushes: Map<number, number> = new Map()

  /** Everything in `base` is durable. */
  constructor(base: FileTree) {
    this.#nextId = base.nextId
    this.#addDirectory(base.root)
  }

  get applied(): number {
    return this.#applied
  }

  apply(operation: Operation): void {
    const index = this.#applied
    this.#applied += 1
    switch (operation.kind) {
      case 'write':
      case 'truncate':
        this.#applyData(index, operation)
        break
      case 'setModifiedTime':
        this.#file(operation.node).modifiedMs = operation.timeMs
        break
      case 'datasync':
        this.#startedFlushes.set(index, this.#file(operation.node).lastJournaledChange)
        break
      case 'syncDirectory':
        this.#startedFlushes.set(index, this.#directory(operation.node).lastChange)
        break
      case 'flushed':
        this.#applyFlush(operation)
        break
      case 'flushFailed':
        this.#applyFailedFlush(operation)
        break
      case 'placeFile':
      case 'placeDirectory':
      case 'flipBit':
        this.#applyPlacement(operation)
        break
      default:
        this.#applyNames(index, operation)
    }
  }

  /** What a machine finds that is switched on again. Shares the model's bytes until written. */
  crash(variant: CrashVariant, sectorBytes: number): FileTree {
    const survival = survivalOf(variant, {
      end: this.#applied,
      firstUnflushed: this.#firstUnflushed(),
      journaled: this.#journaled,
      sectorBytes,
    })
    const changed = this.#survivingNames(survival)
    const nodes = new Map<number, TreeNode>()
    const root = this.#build(rootId, changed, nodes, survival)
    assert(root.isDirectory, 'the root is a directory')
    return new FileTree(root, this.#nextId)
  }

  /** A file's bytes as the page cache has them. */
  cached(node: number): FileContent {
    return this.#file(node).survivor(fixedSurvivals.all)
  }

  #applyData(index: number, operation: Write | Truncation): void {
    const file = this.#file(operation.node)
    const end =
      operation.kind === 'write' ? operation.position + operation.bytes.length : operation.sizeBytes
    if (operation.kind === 'truncate' || end > file.sizeBytes) {
      file.sizeBytes = end
      file.lastJournaledChange = index + 1
    }
    file.modifiedMs = operation.timeMs
    file.unflushed.push({ index, operation, isAbandoned: false, isDropped: false })
  }

  #applyNames(index: number, operation: NameOperation): void {
    const { kind, node, timeMs } = operation
    this.#nextId = Math.max(this.#nextId, node + 1)
    if (kind === 'create') {
      this.#files.set(node, new DiskFile(new FileContent(), timeMs, index + 1))
    }
    if (kind === 'makeDirectory') this.#directories.set(node, new DiskDirectory(timeMs))
    const basis = new Set<UnflushedName>()
    const changes = operation.changes
    for (const change of changes) this.#addBasis(basis, change)
    if (operation.basis !== undefined) this.#addBasis(basis, operation.basis)
    const movesDirectory = this.#directories.has(node) && touchesTwoDirectories(changes)
    for (const earlier of this.#unflushedNames) {
      // What was moved out of a directory is not lost with it.
      if (kind === 'removeDirectory' && earlier.concerns(node)) basis.add(earlier)
      // Two directories are not moved each into the other.
      if (movesDirectory && earlier.movesDirectory) basis.add(earlier)
    }
    const name = new UnflushedName(index, changes, [...basis], movesDirectory)
    for (const change of changes) {
      this.#lastOnName.set(keyOf(change), name)
      this.#directory(change.directory).lastChange = index + 1
    }
    this.#unflushedNames.push(name)
  }

  #addBasis(basis: Set<UnflushedName>, change: Omit<NameChange, 'node'>): void {
    const earlier = this.#lastOnName.get(keyOf(change))
    if (earlier !== undefined && !earlier.isDurable) basis.add(earlier)
  }

  #applyFlush({ node, start }: FlushEnd): void {
    this.#journaled = Math.max(this.#journaled, this.#startedFlushes.get(start) ?? 0)
    this.#startedFlushes.delete(start)
    const file = this.#files.get(node)
    if (file !== undefined) {
      file.flush(start)
      return
    }
    for (const name of this.#unflushedNames) {
      if (name.index >= start) break
      if (name.isAbandoned || !name.unsynced.delete(node)) continue
      if (name.unsynced.size === 0) this.#makeDurable(name)
    }
    this.#unflushedNames = this.#unflushedNames.filter((name) => !name.isDurable)
  }

  #applyFailedFlush({ node, start, cache }: FlushEnd): void {
    this.#startedFlushes.delete(start)
    const file = this.#files.get(node)
    if (file !== undefined) {
      file.abandon(start, cache)
      return
    }
    for (const name of this.#unflushedNames) {
      if (name.index < start && name.concerns(node)) name.isAbandoned = true
    }
  }

  /** With all that it builds on: a name does not become durable before what it replaces. */
  #makeDurable(name: UnflushedName): void {
    if (name.isDurable) return
    name.isDurable = true
    for (const earlier of name.basis) this.#makeDurable(earlier)
    name.basis = []
    for (const change of name.changes) {
      applyChange(this.#directory(change.directory).entries, change)
    }
  }

  #applyPlacement(placement: Placement): void {
    const { kind, node, change, bytes, timeMs } = placement
    this.#nextId = Math.max(this.#nextId, node + 1)
    if (kind === 'placeDirectory') this.#directories.set(node, new DiskDirectory(timeMs))
    if (kind === 'placeFile') {
      this.#files.set(node, new DiskFile(new FileContent(Buffer.from(bytes ?? [])), timeMs, 0))
    }
    if (kind === 'flipBit') {
      const file = this.#file(node)
      file.settle()
      file.durable.flipBit(placement.bit)
    }
    if (change === null) return
    const earlier = this.#lastOnName.get(keyOf(change))
    if (earlier !== undefined) this.#makeDurable(earlier)
    this.#unflushedNames = this.#unflushedNames.filter((name) => !name.isDurable)
    applyChange(this.#directory(change.directory).entries, change)
  }

  #firstUnflushed(): number {
    let first = this.#unflushedNames[0]?.index ?? this.#applied
    for (const directory of this.#directories.values()) {
      for (const node of directory.entries.values()) {
        first = Math.min(first, this.#files.get(node)?.unflushed[0]?.index ?? first)
      }
    }
    return first
  }

  /** The entries, after the crash, of the directories in which something was not durable. */
  #survivingNames(survival: Survival): Map<number, Map<string, number>> {
    const changed = new Map<number, Map<string, number>>()
    const survivors = new Set<UnflushedName>()
    for (const name of this.#unflushedNames) {
      const isPossible = name.basis.every((earlier) => earlier.isDurable || survivors.has(earlier))
      if (!isPossible || !survival.keepsName(name.index)) continue
      survivors.add(name)
      for (const change of name.changes) {
        let entries = changed.get(change.directory)
        if (entries === undefined) {
          entries = new Map(this.#directory(change.directory).entries)
          changed.set(change.directory, entries)
        }
        applyChange(entries, change)
      }
    }
    return changed
  }

  #build(
    id: number,
    changed: ReadonlyMap<number, ReadonlyMap<string, number>>,
    nodes: Map<number, TreeNode>,
    survival: Survival,
  ): TreeNode {
    const known = nodes.get(id)
    if (known !== undefined) return known
    const file = this.#files.get(id)
    if (file !== undefined) {
      const modifiedMs = survival.keepsModifiedTime() ? file.modifiedMs : file.durableModifiedMs
      const node = new FileNode(id, file.survivor(survival), modifiedMs)
      nodes.set(id, node)
      return node
    }
    const directory = this.#directory(id)
    const node = new DirectoryNode(id, directory.modifiedMs)
    nodes.set(id, node)
    for (const [name, child] of changed.get(id) ?? directory.entries) {
      node.entries.set(name, this.#build(child, changed, nodes, survival))
    }
    return node
  }

  #addDirectory(node: DirectoryNode): void {
    const directory = new DiskDirectory(node.modifiedMs)
    this.#directories.set(node.id, directory)
    for (const [name, child] of node.entries) {
      directory.entries.set(name, child.id)
      if (child.isDirectory) this.#addDirectory(child)
      else if (!this.#files.has(child.id)) {
        this.#files.set(child.id, new DiskFile(child.content.clone(), child.modifiedMs, 0))
      }
    }
  }

  #file(id: number): DiskFile {
    const file = this.#files.get(id)
    if (file !== undefined) return file
    // It had lost its last name, and was only open, when the journal began.
    const nameless = new DiskFile(new FileContent(), 0, 0)
    this.#files.set(id, nameless)
    return nameless
  }

  #directory(id: number): DiskDirectory {
    const directory = this.#directories.get(id)
    assert(directory !== undefined, 'the journal names directories that were made')
    return directory
  }
}

function touchesTwoDirectories(changes: readonly NameChange[]): boolean {
  return changes.length > 1 && changes[0]?.directory !== changes[1]?.directory
}

function applyChange(entries: Map<string, number>, change: NameChange): void {
  if (change.node === null) entries.delete(change.name)
  else entries.set(change.name, change.node)
}

function keyOf(change: Omit<NameChange, 'node'>): string {
  return `${change.directory}/${change.name}`
}
