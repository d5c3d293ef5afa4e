import type { Repository } from '@varve/backup'
import type { UiOptions } from '@varve/server'
import type { RepositoryAccess } from '../backup/repository-access.ts'

/** What `varve serve` is told of the page. */
export interface PageOptions extends Omit<RepositoryAccess, 'repository'> {
  readonly ui: boolean
  /** Whether the page may change anything; it is shown then. */
  readonly uiWrites: boolean
  /** Backup repositories that it shows; it is shown then. */
  readonly uiRepositories: readonly string[]
}

/** The page, with the repositories that it shows: they are open until it is disposed of. */
export class ShownPage implements AsyncDisposable {
  readonly #repositories: readonly Repository[]
  /** For the server; null for no page. */
  readonly options: UiOptions | null

  private constructor(options: UiOptions | null, repositories: readonly Repository[]) {
    this.options = options
    this.#repositories = repositories
  }

  /** Rejects as opening a repository does. */
  static async open(given: PageOptions): Promise<ShownPage> {
    const { ui, uiWrites: writes, uiRepositories, passphraseFile, key } = given
    if (!ui && !writes && uiRepositories.length === 0) return new ShownPage(null, [])
    const repositories: Repository[] = []
    const page = new ShownPage({ writes, repositories }, repositories)
    if (uiRepositories.length === 0) return page
    try {
      const { openRepository } = await import('../backup/repository-access.ts')
      for (const repository of uiRepositories) {
        repositories.push(await openRepository({ repository, passphraseFile, key }))
      }
      return page
    } catch (error) {
      await page[Symbol.asyncDispose]()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const repository of this.#repositories) await repository.close()
  }
}
