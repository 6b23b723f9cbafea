// Asks the server: typed by the route table, failures as problems in the server's own words.
import { asksForLogin, setEnded } from './ended'
import { parsed } from './exact'
import { name as inNamespace, namespace, root } from './place'
import { ROUTES, type Operations, type Problem } from './schema'

type Name = keyof Operations

type Given<N extends Name> = {
  [K in 'path' | 'query' | 'body' as Operations[N][K] extends undefined ? never : K]?: Operations[N][K]
} & { signal?: AbortSignal; /** The tag of what was read: nothing is changed if it has changed since. */ match?: string }

export const UNKNOWN = 'segue:unknown-caller'

export class Refusal extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail)
  }

  /** Whoever asked may not do it: there is no role of theirs that has the permission. */
  get notAllowed(): boolean {
    return this.problem.status === 403
  }

  /** Whoever asked is not known any more. */
  get loggedOut(): boolean {
    return this.problem.type === UNKNOWN && asksForLogin()
  }
}

export function address(name: Name, path: Record<string, unknown> = {}, query: Record<string, unknown> = {}): URL {
  const filled = ROUTES[name][1].replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(String(path[key])))
  const url = new URL(`api/v1${filled}`, root)
  for (const [key, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null && each !== '') url.searchParams.append(key, String(each))
    }
  }
  return inNamespace(url, namespace)
}

/** Answers that have a tag, by their address, the newest last: what has not changed is not sent, read and compared again. */
const tagged = new Map<string, { tag: string; found: unknown }>()
const MOST = 30

function keep(url: string, tag: string | null, found: unknown): void {
  tagged.delete(url)
  if (tag === null) return
  tagged.set(url, { tag, found })
  const oldest = tagged.keys().next().value
  if (tagged.size > MOST && oldest !== undefined) tagged.delete(oldest)
}

export async function ask<N extends Name>(name: N, given: Given<N> = {}): Promise<Operations[N]['gives']> {
  const { path, query, body, signal, match } = given as {
    path?: Record<string, unknown>
    query?: Record<string, unknown>
    body?: unknown
    signal?: AbortSignal
    match?: string
  }
  const headers: Record<string, string> = match ? { 'if-match': match } : {}
  const init: RequestInit = { method: ROUTES[name][0], signal: signal ?? null, headers }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    headers['content-type'] = 'application/json'
  }
  const url = address(name, path, query)
  const known = init.method === 'GET' ? tagged.get(url.href) : undefined
  if (known) headers['if-none-match'] = known.tag
  const { answer, text } = await reached(url, init)
  if (answer.status === 204) return undefined as Operations[N]['gives']
  if (answer.status === 304 && known) return known.found as Operations[N]['gives']
  if (!answer.ok) {
    const refusal = new Refusal(problem(answer, text))
    if (refusal.loggedOut) setEnded(true)
    throw refusal
  }
  const found = parsed(text) as Operations[N]['gives']
  if (init.method === 'GET') keep(url.href, answer.headers.get('etag'), found)
  const now = (found as { now?: unknown } | null)?.now
  if (typeof now === 'number') setServerTime(now)
  return found
}

/** Milliseconds after which a question counts as lost on its way: what is asked again after it would wait for good. */
const LOST = 30_000

async function reached(url: URL, init: RequestInit): Promise<{ answer: Response; text: string }> {
  const lost = new AbortController()
  const timer = init.method === 'GET' ? setTimeout(() => lost.abort(), LOST) : undefined
  try {
    const answer = await fetch(url, { ...init, signal: init.signal ? AbortSignal.any([init.signal, lost.signal]) : lost.signal })
    return { answer, text: await answer.text() }
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new Refusal({
      type: 'segue:unreachable',
      title: 'Server not reached',
      status: 0,
      detail: `${root.host} does not answer; see whether the server still runs`,
    })
  } finally {
    clearTimeout(timer)
  }
}

function problem(answer: Response, text: string): Problem {
  if (answer.headers.get('content-type')?.includes('json')) return JSON.parse(text) as Problem
  return { type: 'segue:http', title: answer.statusText, status: answer.status, detail: text.slice(0, 400) }
}

let ahead = 0

/** Takes the server's time (µs): screens reckon by its clock, not by the browser's. */
export function setServerTime(now: number): void {
  ahead = now / 1000 - Date.now()
}

/** The server's time in µs, now. */
export function serverNow(): number {
  return (Date.now() + ahead) * 1000
}
