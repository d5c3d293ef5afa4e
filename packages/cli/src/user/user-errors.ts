import { VarveError } from '@varve/record'

/** There is no such user, or it has none of the credentials that were named. */
export class UserNotFoundError extends VarveError {
  readonly code = 'VARVE_USER_NOT_FOUND'
  readonly user: string

  constructor(user: string, what = `there is no user '${user}'`) {
    super(what, { hint: 'varve user list shows who there is' })
    this.user = user
  }
}

/** There is a user of this name already. */
export class UserExistsError extends VarveError {
  readonly code = 'VARVE_USER_EXISTS'
  readonly user: string

  constructor(user: string) {
    super(`there is a user '${user}' already`, {
      hint: 'varve user alter gives it another password',
    })
    this.user = user
  }
}
