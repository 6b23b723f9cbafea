// Views that somebody saved: a name for what the address says, kept in this browser.
import { useSyncExternalStore } from 'react'
import type { RunsSearch } from '../../routes'

export interface View {
  name: string
  search: RunsSearch
}

const KEPT = 'segue.views'
const listeners = new Set<() => void>()
let views: View[] = read()

function read(): View[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '[]')
    return Array.isArray(kept) ? (kept as View[]).filter((each) => typeof each?.name === 'string' && typeof each.search === 'object' && each.search !== null) : []
  } catch {
    return [] // what another program wrote under this name
  }
}

function write(next: View[]): void {
  views = next
  localStorage.setItem(KEPT, JSON.stringify(next))
  listeners.forEach((each) => each())
}

/** Under a name that is taken, the new one stands in the old one's place. */
export function saveView(name: string, search: RunsSearch): void {
  const view = { name, search }
  write(views.some((each) => each.name === name) ? views.map((each) => (each.name === name ? view : each)) : [...views, view])
}

export function dropView(name: string): void {
  write(views.filter((each) => each.name !== name))
}

export function useViews(): View[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => views,
  )
}
