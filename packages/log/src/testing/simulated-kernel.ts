import assert from 'node:assert/strict'
import type { Clock } from '../base/clock.ts'
import { DiskModel } from './disk-model.ts'
import { type Call, type Fault, FaultPlan } from './fault-plan.ts'
import type { FileNode, FileTree, TreeNode } from './file-tree.ts'
import type { Operation, Placement } from './operation-journal.ts'
import { Random } from './random.ts'
import { PowerLostError, systemError } from './system-error.ts'

export interface SimulationOptions {
  /** Gives files their times. Default: one that always says 2026-01-01T00:00:00Z. */
  readonly clock?: Pick<Clock, 'now'>
  /** Of the turns that asynchronous calls take; uint32, default 0. */
  readonly seed?: number
  /**
   * How many turns of the microtask queue an asynchronous call takes at most, before it has its
   * effect and again after that. Default 0: the effect is immediate, the answer one turn later.
   */
  readonly turnsMax?: number
  /** Of all files together; default: without limit. */
  readonly capacityBytes?: number
  /**
   * What the disk writes whole or not at all; default 512. Smaller, small files are torn in as many
   * ways as large ones.
   */
  readonly sectorBytes?: number
  /**
   * Whether what is done is remembered, so that crashes can be drawn from it; default true. Without
   * it only the files take memory, for programs that run long and want no disk.
   */
  readonly journaled?: boolean
}

/** A flush that has started. */
interface BegunFlush {
  readonly syscall: 'fdatasync' | 'fsync'
  readonly path: string
  readonly fault: Fault | null
  /** Its place in the journal. */
  readonly start: number
}

/** What simulated files and their file system share: the live state, the journal, the faults. */
export class SimulatedKernel {
  readonly tree: FileTree
  readonly faults: FaultPlan = new FaultPlan()
  /** Every open file and held lock, with its path. */
  readonly openPaths: Map<object, string> = new Map()
  /** Ids of locked files. */
  readonly locked: Set<number> = new Set()
  readonly journal: Operation[]
  capacityBytes: number
  readonly #options: SimulationOptions
  readonly #random: Random
  /** The tree as it was when the journal began; null while nothing has changed since. */
  #base: FileTree | null
  #model: DiskModel | null = null
  #flushesUnderWay = 0
  #operationsMax = Number.POSITIVE_INFINITY
  #flushGate: { readonly opened: Promise<void>; readonly open: () => void } | null = null

  /** Takes `base` over. Without a journal, everything in it is durable. */
  constructor(base: FileTree, options: SimulationOptions, journal: Operation[] = []) {
    this.#base = journal.length === 0 ? null : base
    this.#options = options
    this.#random = new Random(options.seed ?? 0)
    this.journal = journal
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY
    this.tree = journal.length === 0 ? base : this.modelAt(journal.length).crash('all', 512)
  }

  get options(): SimulationOptions {
    return { ...this.#options, capacityBytes: this.capacityBytes }
  }

  get sectorBytes(): number {
    return this.#options.sectorBytes ?? 512
  }

  get #isJournaled(): boolean {
    return this.#options.journaled ?? true
  }

  now(): number {
    return this.#options.clock?.now() ?? defaultTimeMs
  }

  /** A copy of the tree as it was when the journal began. */
  base(): FileTree {
    return (this.#base ?? this.tree).clone()
  }

  /**
   * Begins a call: counts it, and throws what it must fail with. A write that must be short and a
   * flush that must fail go on; they get the fault.
   */
  enter(call: Call): Fault | null {
    this.assertPower(call)
    if (call.isChange && this.#isJournaled) this.#base ??= this.tree.clone()
    const fault = this.faults.count(call)
    if (fault === null || fault.kind === 'short') return fault
    if (call.syscall === 'fdatasync' || call.syscall === 'fsync') return fault
    throw systemError(fault.kind, call.syscall, call.path)
  }

  assertPower({ syscall, path }: Pick<Call, 'syscall' | 'path'>): void {
    if (this.journal.length >= this.#operationsMax) throw new PowerLostError(syscall, path)
  }

  /** Journals what has just been done; its index. */
  record(operation: Operation): number {
    if (!this.#isJournaled) return 0
    assert(this.#base !== null, 'a test arranges nothing while a call is under way')
    this.journal.push(operation)
    return this.journal.length - 1
  }

  /** Journals what a test has just arranged; before anything else it belongs to the beginning. */
  recordPlacement(placement: Placement): void {
    if (this.journal.length === 0) this.settle()
    else this.record(placement)
  }

  /** Everything is durable, and the journal begins anew. */
  settle(): void {
    assert(this.#flushesUnderWay === 0, 'a flush under way belongs to the journal it started in')
    this.#operationsMax -= this.journal.length
    this.journal.length = 0
    this.#base = null
    this.#model = null
  }

  cutPowerAfter(operations: number): void {
    this.#operationsMax = this.journal.length + operations
  }

  /** Lets other callers have their turns. */
  async pass(): Promise<void> {
    const turnsMax = this.#options.turnsMax ?? 0
    if (turnsMax === 0) return
    for (let turns = this.#random.int(turnsMax + 1); turns > 0; turns -= 1) await null
  }

  /** A flush from start to end: `fdatasync` of a file, `fsync` of a directory. */
  async flush(syscall: 'fdatasync' | 'fsync', path: string, node: TreeNode): Promise<void> {
    const begun = this.#beginFlush(syscall, path, node)
    this.#flushesUnderWay += 1
    await this.pass()
    if (this.#flushGate !== null) await this.#flushGate.opened
    this.#flushesUnderWay -= 1
    this.#endFlush(begun, node)
  }

  /** As {@link flush}, with nothing in between. */
  flushSync(syscall: 'fdatasync' | 'fsync', path: string, node: TreeNode): void {
    this.#endFlush(this.#beginFlush(syscall, path, node), node)
  }

  #beginFlush(syscall: 'fdatasync' | 'fsync', path: string, node: TreeNode): BegunFlush {
    const fault = this.enter({ syscall, path, isChange: true, needsSpace: true })
    const kind = node.isDirectory ? 'syncDirectory' : 'datasync'
    return { syscall, path, fault, start: this.record({ kind, path, node: node.id }) }
  }

  #endFlush({ syscall, path, fault, start }: BegunFlush, node: TreeNode): void {
    this.assertPower({ syscall, path })
    if (fault === null) {
      this.record({ kind: 'flushed', path, node: node.id, start, cache: 'kept' })
      return
    }
    const cache = fault.cache ?? 'kept'
    this.record({ kind: 'flushFailed', path, node: node.id, start, cache })
    if (cache === 'dropped' && !node.isDirectory) {
      node.content = this.modelAt(this.journal.length).cached(node.id)
    }
    throw systemError(fault.kind === 'ENOSPC' ? 'ENOSPC' : 'EIO', syscall, path)
  }

  /** Flushes that have started do not end until {@link resumeFlushes}. */
  holdFlushes(): void {
    if (this.#flushGate !== null) return
    const { promise, resolve } = gate()
    this.#flushGate = { opened: promise, open: resolve }
  }

  resumeFlushes(): void {
    this.#flushGate?.open()
    this.#flushGate = null
  }

  /** How many of `wanted` more bytes `file` can take at `position`. */
  room(file: FileNode, position: number, wanted: number): number {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return wanted
    const growthMax = Math.max(0, this.capacityBytes - this.usedBytes())
    return Math.max(0, Math.min(wanted, file.content.sizeBytes + growthMax - position))
  }

  usedBytes(): number {
    const counted = new Set<number>()
    let usedBytes = 0
    this.tree.walk((_path, node) => {
      if (node.isDirectory || counted.has(node.id)) return
      counted.add(node.id)
      usedBytes += node.content.sizeBytes
    })
    return usedBytes
  }

  /** The disk after the first `operations` of the journal. */
  modelAt(operations: number): DiskModel {
    if (this.#model === null || this.#model.applied > operations) {
      this.#model = new DiskModel(this.#base ?? this.tree)
    }
    for (let index = this.#model.applied; index < operations; index += 1) {
      this.#model.apply(this.journal[index] as Operation)
    }
    return this.#model
  }
}

const defaultTimeMs = Date.UTC(2026, 0, 1)

function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((resolvePromise) => {
    resolve = resolvePromise
  })
  return { promise, resolve }
}
