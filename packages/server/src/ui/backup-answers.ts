import { describeRepository, type Repository, type RepositoryStanding } from '@varve/backup'
import type { Clock } from '@varve/log'
import type { BackupsAnswer, RepositoryAnswer } from './answers.ts'

/** A look at a repository lists its objects: it is not repeated for every question. */
const lookAgainMs = 60_000

interface Look {
  standing: RepositoryStanding | null
  error: string | null
  lookedMs: number | null
  begunMs: number
  isLooking: boolean
}

/** How the repositories stand, as it was known a minute ago at most when they were asked for. */
export class BackupAnswers {
  readonly #clock: Clock
  readonly #looks: ReadonlyMap<Repository, Look>

  constructor(repositories: readonly Repository[], clock: Clock) {
    this.#clock = clock
    this.#looks = new Map(
      repositories.map((repository) => [
        repository,
        {
          ...{ standing: null, error: null, lookedMs: null, isLooking: false },
          begunMs: Number.NEGATIVE_INFINITY,
        },
      ]),
    )
  }

  /** What is known; nobody waits for a repository that is far away. */
  answer(): BackupsAnswer {
    const nowMs = this.#clock.now()
    const repositories: RepositoryAnswer[] = []
    for (const [repository, look] of this.#looks) {
      if (!look.isLooking && this.#clock.monotonic() - look.begunMs >= lookAgainMs) {
        void this.#look(repository, look)
      }
      repositories.push(answerOf(repository.target.name, look))
    }
    return { nowMs, repositories }
  }

  async #look(repository: Repository, look: Look): Promise<void> {
    look.isLooking = true
    look.begunMs = this.#clock.monotonic()
    try {
      look.standing = await describeRepository(repository)
      look.error = null
    } catch (error) {
      look.error = error instanceof Error ? error.message : String(error)
    } finally {
      look.lookedMs = this.#clock.now()
      look.isLooking = false
    }
  }
}

function answerOf(name: string, { standing, error, lookedMs }: Look): RepositoryAnswer {
  return {
    ...{ name, lookedMs, error },
    objects: standing?.objects ?? 0,
    storedBytes: standing?.storedBytes ?? 0,
    sources: (standing?.sources ?? []).map(({ source, sourceId, ...rest }) => {
      const { backups, newestMs, newestVerifiedMs, damaged } = rest
      return { source: source ?? sourceId, backups, newestMs, newestVerifiedMs, damaged }
    }),
    lastDrill: standing?.lastDrill ?? null,
  }
}
