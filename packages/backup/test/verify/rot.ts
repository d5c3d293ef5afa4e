import type { Random } from '@varve/log/testing'
import { VarveError } from '@varve/record'
import { expect } from 'vitest'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { removeDurably } from '../../src/restoring/staged-swap.ts'
import type { VerifyRepositoryReport } from '../../src/verify/verify-repository.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { repositoryPath, restoredPath, Scene } from '../restoring/scene.ts'
import { makeTopics } from '../restoring/source-topics.ts'

const passphrase = 'correct horse'

/** Backups in a repository of which bits are to be flipped, and what is restored of them. */
export class RottingRepository {
  readonly scene: Scene
  readonly #isEncrypted: boolean
  readonly #restored: ReadonlyMap<string, string>

  private constructor(scene: Scene, isEncrypted: boolean, restored: ReadonlyMap<string, string>) {
    this.scene = scene
    this.#isEncrypted = isEncrypted
    this.#restored = restored
  }

  /** Three backups: files that all need, files that some need. */
  static async make(random: Random, isEncrypted: boolean): Promise<RottingRepository> {
    const encryption = { passphrase, scryptN: 1024, rsaBits: 2048 }
    const scene = await Scene.make(isEncrypted ? { encryption } : {})
    const source = await scene.openSource()
    await makeTopics(scene, source, random, 10)
    await scene.backUp(source)
    await source.log('plain', 0).append({ value: 'more' })
    await scene.backUp(source)
    await scene.backUp(source, { kind: 'differential' })
    await source.close()
    const made = new RottingRepository(scene, isEncrypted, new Map())
    await (await made.#opened(scene)).restore()
    const restored = scene.treeOf(restoredPath)
    await removeDurably(scene.fs, restoredPath)
    scene.fs.settle()
    return new RottingRepository(scene, isEncrypted, restored)
  }

  /** Keys of all files. */
  get keys(): readonly string[] {
    return [...this.scene.fs.tree()]
      .filter(([path, stat]) => path.startsWith(`${repositoryPath}/`) && !stat.isDirectory)
      .map(([path]) => path.slice(repositoryPath.length + 1))
      .sort()
  }

  /** Flips a bit of a file, cuts it, or takes it away: is it told, and avoided? */
  async check(key: string, random: Random): Promise<void> {
    const fs = this.scene.fs.fork()
    const path = `${repositoryPath}/${key}`
    const bytes = fs.bytesOf(path)
    const kind = random.pick(['flip', 'flip', 'flip', 'cut', 'remove'] as const)
    const bit = random.int(8 * bytes.length)
    if (kind === 'flip') fs.flipBit(path, bit)
    else await fs.remove(path)
    if (kind === 'cut') fs.writeBytes(path, bytes.subarray(0, random.int(bytes.length)))
    const what = `${key}, ${bytes.length} bytes: ${kind === 'flip' ? `bit ${bit}` : kind}`
    const report = await this.#verified(fs, what)
    // One that cannot be opened any more has been told of.
    const named = report?.findings.map((finding) => finding.key) ?? [key]
    // A manifest that is gone is as if it had never been; the one after it remembers.
    const isForgotten = kind === 'remove' && key.startsWith('manifests/')
    if (!isForgotten) expect(named, what).toContain(key)
    await this.#checkRestore(fs, what)
  }

  async #verified(fs: Scene['fs'], what: string): Promise<VerifyRepositoryReport | null> {
    const scene = await this.#openedOrTold(fs, what)
    if (scene === null) return null
    return verifyRepository(scene.repository, {
      decoder: inlineDecoder(),
      clock: scene.clock,
      threads: 1,
    })
  }

  /** What is restored is what was backed up, or it is refused and nothing is made. */
  async #checkRestore(fs: Scene['fs'], what: string): Promise<void> {
    const scene = await this.#openedOrTold(fs, what)
    if (scene === null) return
    try {
      await scene.restore()
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      expect(fs.stat(restoredPath), what).toBeNull()
      return
    }
    if (scene.treeOf(restoredPath).size !== this.#restored.size) throw new Error(what)
    for (const [name, bytes] of scene.treeOf(restoredPath)) {
      // Of an older backup where the newest is gone.
      if (/\.log$/.test(name) && !what.includes('manifests/')) {
        expect(bytes, `${what}: ${name}`).toBe(this.#restored.get(name))
      }
    }
  }

  async #openedOrTold(fs: Scene['fs'], what: string): Promise<Scene | null> {
    try {
      return await this.scene.after(fs, this.#isEncrypted ? { passphrase } : null)
    } catch (error) {
      if (error instanceof VarveError) return null
      throw new Error(what, { cause: error })
    }
  }

  #opened(scene: Scene): Promise<Scene> {
    return scene.after(scene.fs, this.#isEncrypted ? { passphrase } : null)
  }
}
