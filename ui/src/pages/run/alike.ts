// What is alike: incidents and errors of calls of one name, for one cause.
import type { CallView, IncidentView, RunPicture } from '../../api/schema'
import { isUndo } from './groups'

/** Incidents that are alike; `calls` has the call of each, or none where the workflow itself stands still. */
export interface Alike {
  key: string
  name: string
  incidents: IncidentView[]
  calls: CallView[]
  /** How many of them say something else than the first. */
  others: number
}

export function openIncidents(picture: RunPicture): IncidentView[] {
  return picture.incidents.filter((each) => each.resolved_at == null)
}

/** In the order in which the first of each came. */
export function alikeIncidents(picture: RunPicture): Alike[] {
  const calls = new Map(picture.calls.map((each) => [each.key, each]))
  const all = openIncidents(picture).map((incident) => ({ incident, call: calls.get(incident.key ?? '') }))
  return grouped(all, ({ incident, call }) => [call && place(call), incident.cause, incident.failure?.type]).map(([key, members]) => ({
    key,
    name: members[0]!.call?.name ?? picture.run.workflow,
    incidents: members.map(({ incident }) => incident),
    calls: members.flatMap(({ call }) => call ?? []),
    others: different(members.map(({ incident }) => incident.failure?.message ?? incident.message)),
  }))
}

/** Errors that are alike, the most frequent first. */
export function alikeErrors(calls: CallView[]): { key: string; calls: CallView[]; others: number }[] {
  return grouped(calls.filter((each) => each.failure), (each) => [place(each), each.failure!.type])
    .map(([key, members]) => ({ key, calls: members, others: different(members.map((each) => each.failure!.message)) }))
    .sort((a, b) => b.calls.length - a.calls.length)
}

function place(call: CallView): unknown[] {
  return [call.kind, call.name, isUndo(call)]
}

function different(texts: string[]): number {
  return texts.filter((each) => each !== texts[0]).length
}

function grouped<T>(all: T[], keyOf: (one: T) => unknown): [string, T[]][] {
  const found = new Map<string, T[]>()
  for (const one of all) {
    const key = JSON.stringify(keyOf(one))
    const members = found.get(key)
    if (members) members.push(one)
    else found.set(key, [one])
  }
  return [...found]
}
