import assert from 'node:assert/strict'
import type { File } from '../storage/file-system.ts'
import type { FileNode } from './file-tree.ts'
import type { SimulatedKernel } from './simulated-kernel.ts'
import { systemError } from './system-error.ts'

/** A descriptor of a simulated file; as on POSIX it outlives the file's name. */
export class SimulatedFile implements File {
  readonly path: string
  readonly #kernel: SimulatedKernel
  readonly #node: FileNode
  readonly #isWritable: boolean

  constructor(kernel: SimulatedKernel, path: string, node: FileNode, isWritable: boolean) {
    this.path = path
    this.#kernel = kernel
    this.#node = node
    this.#isWritable = isWritable
    kernel.openPaths.set(this, path)
  }

  sizeBytes(): number {
    this.#enterReading('fstat')
    return this.#node.content.sizeBytes
  }

  readSync(target: Uint8Array, position: number): number {
    assertPosition(position)
    this.#enterReading('read')
    return this.#node.content.read(target, position)
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    assertPosition(position)
    this.#enterReading('read')
    await this.#kernel.pass()
    const count = this.#node.content.read(target, position)
    await this.#kernel.pass()
    return count
  }

  writeSync(source: Uint8Array, position: number): number {
    return this.#write(source, position, this.#enterWrite(source, position))
  }

  async write(source: Uint8Array, position: number): Promise<number> {
    const limit = this.#enterWrite(source, position)
    await this.#kernel.pass()
    this.#kernel.assertPower({ syscall: 'write', path: this.path })
    const count = this.#write(source, position, limit)
    await this.#kernel.pass()
    return count
  }

  async datasync(): Promise<void> {
    this.#assertOpen('fdatasync')
    await this.#kernel.flush('fdatasync', this.path, this.#node)
  }

  datasyncSync(): void {
    this.#assertOpen('fdatasync')
    this.#kernel.flushSync('fdatasync', this.path, this.#node)
  }

  truncate(sizeBytes: number): void {
    assertPosition(sizeBytes)
    this.#assertOpen('ftruncate')
    const { path } = this
    this.#kernel.enter({ syscall: 'ftruncate', path, isChange: true, needsSpace: true })
    if (!this.#isWritable) throw systemError('EINVAL', 'ftruncate', path)
    this.#node.content.truncate(sizeBytes)
    const timeMs = this.#kernel.now()
    this.#node.modifiedMs = timeMs
    this.#kernel.record({ kind: 'truncate', path, node: this.#node.id, sizeBytes, timeMs })
  }

  close(): void {
    this.#kernel.openPaths.delete(this)
  }

  #enterReading(syscall: string): void {
    this.#assertOpen(syscall)
    this.#kernel.enter({ syscall, path: this.path, isChange: false, needsSpace: false })
  }

  /** How many bytes this write may take at most. */
  #enterWrite(source: Uint8Array, position: number): number {
    assertPosition(position)
    this.#assertOpen('write')
    const call = { syscall: 'write', path: this.path, isChange: true, needsSpace: true }
    const fault = this.#kernel.enter(call)
    if (!this.#isWritable) throw systemError('EBADF', 'write', this.path)
    return fault === null ? source.length : Math.max(1, Math.floor(source.length / 2))
  }

  #write(source: Uint8Array, position: number, limit: number): number {
    const wanted = Math.min(source.length, limit)
    if (wanted === 0) return 0
    const count = this.#kernel.room(this.#node, position, wanted)
    if (count === 0) throw systemError('ENOSPC', 'write', this.path)
    // The journal's copy: the caller may reuse its buffer.
    const bytes = Buffer.from(source.subarray(0, count))
    this.#node.content.write(bytes, position)
    const timeMs = this.#kernel.now()
    this.#node.modifiedMs = timeMs
    const { path } = this
    this.#kernel.record({ kind: 'write', path, node: this.#node.id, position, bytes, timeMs })
    return count
  }

  #assertOpen(syscall: string): void {
    if (!this.#kernel.openPaths.has(this)) throw systemError('EBADF', syscall, this.path)
  }
}

function assertPosition(position: number): void {
  assert(Number.isSafeInteger(position) && position >= 0, 'a file position is 0 … 2^53-1')
}
