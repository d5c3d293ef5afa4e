import type { FileStat } from '../storage/file-system.ts'
import type { CrashVariant } from './crash-variant.ts'
import type { Fault } from './fault-plan.ts'
import { FileContent } from './file-content.ts'
import { DirectoryNode, FileNode, FileTree, type Place, statOf } from './file-tree.ts'
import { describeOperation, type Operation } from './operation-journal.ts'
import { SimulatedCalls } from './simulated-calls.ts'
import { SimulatedKernel, type SimulationOptions } from './simulated-kernel.ts'
import { systemError } from './system-error.ts'

/**
 * A file system in memory that remembers everything done to it, and can therefore say what a disk
 * would hold had the power been cut, or the process been killed, after any call.
 *
 * **Operations.** Every call that changes something, and the start and the end of every flush, is
 * one operation of a journal. `operations` is how many there have been; "after n operations" is a
 * moment between two calls, with 0 for the beginning. What does nothing (a failed call, renaming a
 * file to itself) is no operation.
 *
 * **What is durable.** A flush covers what was done before it started, and promises it from when it
 * has ended. `datasync` covers the bytes and the length of one file, not its name. `syncDirectory`
 * covers the names in one directory; a rename from one directory to another needs both. Times are
 * covered as data is. A failed flush covers nothing, and what it should have written is given up,
 * as Linux gives it up: no later flush writes it, though reads still show it (or, where the fault
 * says so, do not). Whether it is on the disk is unknown.
 *
 * **What a power cut leaves of the rest** is up to the {@link CrashVariant}. The harsh one follows
 * POSIX, which promises nothing about what was not flushed:
 * - a write survives whole, not at all, or torn at sectors of 512 bytes, whatever became of earlier
 *   and later ones, and between sectors that survived there is what was there before, or zeros;
 * - a length may survive without the data, and so zeros stand at the end;
 * - each directory operation survives or not by itself. Only this is certain: operations on one
 *   name keep their order; a rename happens or does not, so that the file has the old name or the
 *   new one, and what it replaces is there until then; a link survives with the name it was made
 *   from; what was moved out of a removed directory is not lost with it;
 * - so a file that was flushed in a directory that was not is complete or not there.
 * The journaled one follows ext4 with `data=ordered`: directory operations and truncations survive
 * up to one moment, which is at or after the last one that a flush of that file or directory
 * needed, and files grow without holes. No variant invents bytes: `flipBit` is for that.
 *
 * **A killed process** loses nothing that it did, since the page cache outlives it; it also makes
 * nothing durable.
 *
 * Both give a new file system with its own journal, in which all this can happen again.
 */
export class SimulatedFileSystem extends SimulatedCalls {
  /** @param kernel internal: what a crash or a fork left */
  constructor(
    options: SimulationOptions = {},
    kernel: SimulatedKernel = new SimulatedKernel(new FileTree(), options),
  ) {
    super(kernel)
  }

  // Crashes.

  /** How many operations there have been. */
  get operations(): number {
    return this.kernel.journal.length
  }

  get journal(): readonly Operation[] {
    return this.kernel.journal
  }

  /** One line for operation `index`, 0 … operations-1. */
  describeOperation(index: number): string {
    const operation = this.kernel.journal[index]
    if (operation === undefined) throw new RangeError(`there is no operation ${index}`)
    return describeOperation(operation)
  }

  /**
   * What the disk holds when the power is cut after the first `operations` operations: a new file
   * system in which all that is durable. Cheapest in rising order of `operations`.
   */
  crashState(operations: number, variant: CrashVariant): SimulatedFileSystem {
    this.#assertMoment(operations)
    const tree = this.kernel.modelAt(operations).crash(variant, this.kernel.sectorBytes)
    const { options } = this.kernel
    return new SimulatedFileSystem(options, new SimulatedKernel(tree, options))
  }

  /**
   * What the next process finds when this one is killed after the first `operations` operations:
   * everything done until then, and durable only what had been flushed by then. Its journal begins
   * with those operations, so that a power cut can still take what the killed one did not flush.
   *
   * @param lastWriteBytes how much of the last operation, a write, the kernel still did
   */
  killState(operations: number, lastWriteBytes?: number): SimulatedFileSystem {
    this.#assertMoment(operations)
    const journal = this.kernel.journal.slice(0, operations)
    if (lastWriteBytes !== undefined) {
      const last = journal.pop()
      if (last?.kind !== 'write') throw new RangeError('the last operation is not a write')
      if (lastWriteBytes > 0)
        journal.push({ ...last, bytes: last.bytes.subarray(0, lastWriteBytes) })
    }
    const { options } = this.kernel
    const kernel = new SimulatedKernel(this.kernel.base(), options, journal)
    return new SimulatedFileSystem(options, kernel)
  }

  /** A copy with the same journal: nothing is open or locked in it, no flush under way ends. */
  fork(): SimulatedFileSystem {
    return this.killState(this.operations)
  }

  /** Cuts the power after that many more operations: every later call throws PowerLostError. */
  cutPowerAfter(operations: number): void {
    this.kernel.cutPowerAfter(operations)
  }

  // Faults.

  /** Calls so far, reads included; closing a file is none. */
  get calls(): number {
    return this.kernel.faults.calls
  }

  /** Calls so far that change or flush something. */
  get changes(): number {
    return this.kernel.faults.changes
  }

  /** Calls so far that an injected fault made fail or fall short. */
  get faultHits(): number {
    return this.kernel.faults.hits
  }

  injectFault(fault: Fault): void {
    this.kernel.faults.add(fault)
  }

  clearFaults(): void {
    this.kernel.faults.clear()
  }

  /** Flushes start but do not end until {@link resumeFlushes}: for what comes meanwhile. */
  holdFlushes(): void {
    this.kernel.holdFlushes()
  }

  resumeFlushes(): void {
    this.kernel.resumeFlushes()
  }

  /** Of all files together; beyond it writes fail with ENOSPC. */
  get capacityBytes(): number {
    return this.kernel.capacityBytes
  }

  set capacityBytes(capacityBytes: number) {
    this.kernel.capacityBytes = capacityBytes
  }

  // Arranging and looking. None of it counts as a call; what is arranged before the first operation
  // belongs to the beginning, later it is an operation.

  /**
   * Makes everything durable and begins a new journal with operation 0: for what came before the
   * part that a test is about. No flush may be under way.
   */
  settle(): void {
    this.kernel.settle()
  }

  /** Every path in order, with what is there. */
  tree(): ReadonlyMap<string, FileStat> {
    const tree = new Map<string, FileStat>()
    this.kernel.tree.walk((path, node) => tree.set(path, statOf(node)))
    return tree
  }

  /** A copy of a file's bytes, as reads see them. */
  bytesOf(path: string): Buffer {
    return this.kernel.tree.file(path, 'read').content.toBuffer()
  }

  /** Puts a file in place, durably, with the directories that it needs. */
  writeBytes(path: string, bytes: Uint8Array): void {
    const parent = path.slice(0, path.lastIndexOf('/') + 1)
    this.makeDirectories(parent)
    const place = this.kernel.tree.place(path, 'write')
    if (place.directory.entries.get(place.name)?.isDirectory === true) {
      throw systemError('EISDIR', 'write', path)
    }
    const content = new FileContent(Buffer.from(bytes))
    const node = new FileNode(this.kernel.tree.takeId(), content, this.kernel.now())
    place.directory.entries.set(place.name, node)
    this.#recordPlacement('placeFile', path, place, node.id, bytes)
  }

  /** Makes a directory and those above it, durably, as far as they are missing. */
  makeDirectories(path: string): void {
    let made = ''
    for (const name of path.split('/')) {
      if (name === '') continue
      made += `/${name}`
      const place = this.kernel.tree.place(made, 'mkdir')
      if (place.directory.entries.has(place.name)) continue
      const node = new DirectoryNode(this.kernel.tree.takeId(), this.kernel.now())
      place.directory.entries.set(place.name, node)
      this.#recordPlacement('placeDirectory', made, place, node.id, null)
    }
  }

  /**
   * Flips bit 0 … 8 × size - 1 of a file at rest, where bit 0 is the lowest of the first byte. What
   * was not flushed of the file becomes durable.
   */
  flipBit(path: string, bit: number): void {
    const node = this.kernel.tree.file(path, 'flipBit')
    node.content.flipBit(bit)
    const timeMs = this.kernel.now()
    const placement = { kind: 'flipBit', path, node: node.id, bit, timeMs } as const
    this.kernel.recordPlacement({ ...placement, change: null, bytes: null })
  }

  /** Paths of the files that are open, and of the locks that are held: empty when nothing leaks. */
  openFiles(): readonly string[] {
    return [...this.kernel.openPaths.values()].sort()
  }

  #recordPlacement(
    kind: 'placeFile' | 'placeDirectory',
    path: string,
    { directory, name }: Place,
    node: number,
    bytes: Uint8Array | null,
  ): void {
    const change = { directory: directory.id, name, node }
    const kept = bytes === null ? null : Buffer.from(bytes)
    const timeMs = this.kernel.now()
    this.kernel.recordPlacement({ kind, path, node, change, bytes: kept, bit: 0, timeMs })
  }

  #assertMoment(operations: number): void {
    if (Number.isInteger(operations) && operations >= 0 && operations <= this.operations) return
    throw new RangeError(`there were ${this.operations} operations, not ${operations}`)
  }
}
