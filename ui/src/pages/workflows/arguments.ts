// The arguments of a workflow as a form has them, by name, and as a run gets them, by position.
import type { WorkflowView } from '../../api/schema'
import type { Schema } from '../../parts/schema'

/** A form for them. */
export function schemaOf(workflow: WorkflowView): Schema {
  return workflow.input as Schema
}

/** Arguments go by position; those behind the last one given are left to their defaults. */
export function inOrder(workflow: { parameters: string[] }, value: unknown): unknown[] {
  const of = (value ?? {}) as Record<string, unknown>
  const given = workflow.parameters.flatMap((name) => (name.startsWith('*') ? ((of[name] ?? []) as unknown[]) : [of[name]]))
  while (given.length > 0 && given[given.length - 1] === undefined) given.pop()
  return given.map((each) => (each === undefined ? null : each))
}

/** A recorded input, by name or under `*` by position, for its form. */
export function byName(workflow: WorkflowView, recorded: unknown): Record<string, unknown> {
  const { '*': given, ...named } = (recorded ?? {}) as Record<string, unknown>
  const placed = Array.isArray(given) ? workflow.parameters.map((name, i) => [name, name.startsWith('*') ? given.slice(i) : (given as unknown[])[i]] as const) : []
  return { ...Object.fromEntries(placed), ...named }
}
