import assert from 'node:assert/strict'
import {
  applyTo,
  type CrashVariant,
  type Survival,
  sliceOf,
  survivalOf,
  type UnflushedData,
} from './crash-variant.ts'
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

  /** What a machine finds that is switched on again. Bytes are shared with the model until written. */
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
    return this.#file(node).survivor(survivalOf('all', noMoment))
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

class DiskFile {
  durable: FileContent
  durableModifiedMs: number
  modifiedMs: number
  /** As the cache has it. */
  sizeBytes: number
  /** In order. */
  unflushed: UnflushedData[] = []
  /** 1 + the index of the last operation that changed its length, or made it. */
  lastJournaledChange: number

  constructor(durable: FileContent, modifiedMs: number, lastJournaledChange: number) {
    this.durable = durable
    this.sizeBytes = durable.sizeBytes
    this.durableModifiedMs = modifiedMs
    this.modifiedMs = modifiedMs
    this.lastJournaledChange = lastJournaledChange
  }

  /** Makes durable what was done before operation `start`, but for what a failed flush gave up. */
  flush(start: number): void {
    let left: UnflushedData[] = []
    for (const data of this.unflushed) {
      if (data.index >= start || data.isAbandoned) {
        left.push(data)
        continue
      }
      applyTo(this.durable, data.operation)
      if (left.length > 0) left = left.flatMap((earlier) => uncovered(earlier, data.operation))
    }
    this.unflushed = left
    this.durableModifiedMs = this.modifiedMs
  }

  /** A failed flush: what it should have written will not be written by a later one either. */
  abandon(start: number, cache: 'kept' | 'dropped'): void {
    for (const data of this.unflushed) {
      if (data.index >= start) break
      // A length is metadata: it stays in the journal until that can be written.
      if (data.operation.kind === 'truncate') continue
      data.isAbandoned = true
      data.isDropped ||= cache === 'dropped'
    }
    this.sizeBytes = this.survivor(survivalOf('all', noMoment)).sizeBytes
  }

  settle(): void {
    this.durable = this.survivor(survivalOf('all', noMoment))
    this.unflushed = []
    this.durableModifiedMs = this.modifiedMs
  }

  survivor(survival: Survival): FileContent {
    const content = this.durable.clone()
    if (this.unflushed.length > 0) survival.applyData(content, this.unflushed)
    return content
  }
}

class DiskDirectory {
  readonly modifiedMs: number
  /** Durable ones. */
  readonly entries: Map<string, number> = new Map()
  /** 1 + the index of the last operation that changed a name in it. */
  lastChange = 0

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs
  }
}

class UnflushedName {
  readonly index: number
  readonly changes: readonly NameChange[]
  /** Operations without which this one cannot have reached the disk. */
  basis: readonly UnflushedName[]
  readonly movesDirectory: boolean
  /** Directories that must be flushed for it to be durable. */
  readonly unsynced: Set<number>
  isDurable = false
  isAbandoned = false

  constructor(
    index: number,
    changes: readonly NameChange[],
    basis: readonly UnflushedName[],
    movesDirectory: boolean,
  ) {
    this.index = index
    this.changes = changes
    this.basis = basis
    this.movesDirectory = movesDirectory
    this.unsynced = new Set(changes.map((change) => change.directory))
  }

  concerns(directory: number): boolean {
    return this.changes.some((change) => change.directory === directory)
  }
}

/** What is left of abandoned data when something later has become durable. */
function uncovered(earlier: UnflushedData, later: Write | Truncation): UnflushedData[] {
  const { operation } = earlier
  if (operation.kind === 'truncate') return [earlier]
  const start = later.kind === 'write' ? later.position : later.sizeBytes
  const stop = later.kind === 'write' ? start + later.bytes.length : Number.POSITIVE_INFINITY
  const parts = [sliceOf(operation, 0, start), sliceOf(operation, stop, Number.POSITIVE_INFINITY)]
  return parts.flatMap((part) => (part === null ? [] : [{ ...earlier, operation: part }]))
}

function touchesTwoDirectories(changes: readonly NameChange[]): boolean {
  return changes.length > 1 && changes[0]?.directory !== changes[1]?.directory
}

const noMoment = { end: 0, firstUnflushed: 0, journaled: 0, sectorBytes: 512 }

function applyChange(entries: Map<string, number>, change: NameChange): void {
  if (change.node === null) entries.delete(change.name)
  else entries.set(change.name, change.node)
}

function keyOf(change: Omit<NameChange, 'node'>): string {
  return `${change.directory}/${change.name}`
}
