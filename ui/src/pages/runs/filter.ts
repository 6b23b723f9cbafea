// What the address says, as a question to the server.
import type { RunFilter } from '../../api/queries'
import { serverNow } from '../../api/client'
import type { RunsSearch } from '../../routes'

export const VIEWS: Record<NonNullable<RunsSearch['view']>, string[]> = {
  needs: ['incident'],
  open: ['open'],
  failed: ['failed'],
  done: ['completed'],
}

const SECONDS = { hour: 3600, day: 86_400, week: 604_800 }

/** A range moves on by the minute only: a new question every second would never be answered from memory. */
function since(range: NonNullable<RunsSearch['range']>): number {
  const minute = 60_000_000
  return Math.floor((serverNow() - SECONDS[range] * 1_000_000) / minute) * minute
}

export function filterOf(search: RunsSearch): RunFilter {
  return {
    state: search.state ?? (search.view ? VIEWS[search.view] : []),
    workflow: search.workflow,
    id: search.id,
    text: search.text,
    attribute: search.attribute,
    since: search.from ?? (search.range ? since(search.range) : undefined),
    until: search.to,
  }
}

/** Whether anything narrows the list: what would choose every run there is, no action takes. */
export function narrows(search: RunsSearch): boolean {
  const { peek: _, ...rest } = search
  return Object.values(rest).some((value) => value !== undefined && !(Array.isArray(value) && value.length === 0))
}

/** Whether this list is everything in its order, so that what stands still may go to its top. */
export function pinsIncidents(search: RunsSearch): boolean {
  return (search.view === undefined && search.state === undefined) || search.view === 'open'
}
