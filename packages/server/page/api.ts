import type { ChangeAnswer, ErrorAnswer } from '../src/ui/answers.js'

const root = '/ui/api/'

/** What the server answered instead of what was asked for. */
export class ApiError extends Error {
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** The path of a question. */
export function apiPath(
  parts: readonly string[],
  query: Readonly<Record<string, string | number | null>> = {},
): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== '') parameters.set(name, String(value))
  }
  const text = parameters.toString()
  return `${root}${parts.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`
}

/** Asks. Rejects with ApiError. */
export async function ask<Answer>(
  path: string,
  signal: AbortSignal | null = null,
): Promise<Answer> {
  return (await answered(path, { signal, credentials: 'same-origin' })) as Answer
}

/** Changes something. Rejects with ApiError. */
export async function change(
  action: string,
  fields: Readonly<Record<string, unknown>>,
  token: string,
): Promise<string> {
  const answer = await answered(apiPath(['actions', action]), {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json', 'x-varve-token': token },
    body: JSON.stringify(fields),
  })
  return (answer as ChangeAnswer).done
}

async function answered(path: string, init: RequestInit): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(path, init)
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    throw new ApiError(0, 'The server does not answer.')
  }
  const text = await response.text()
  if (!response.ok) throw new ApiError(response.status, messageOf(text, response.status))
  return JSON.parse(text)
}

function messageOf(text: string, status: number): string {
  try {
    return (JSON.parse(text) as ErrorAnswer).error
  } catch {
    return text.trim() === '' ? `The server answered ${status}.` : text.trim().slice(0, 500)
  }
}
