// The rows of the timeline: the run, its steps as a tree, its compensation as a group of its own, child runs in place.
import type { CallView, RunPicture } from '../../api/schema'
import { blocks, isUndo, type Group } from './groups'

/** `key` names a row in the whole tree: of a child run's step it is the keys on the way there (`within`). */
export type Line =
  | { kind: 'run'; key: string }
  | { kind: 'block'; key: string; depth: number; groups: Group[] }
  | { kind: 'map'; key: string; depth: number; group: Group; open: boolean }
  | { kind: 'call'; key: string; depth: number; call: CallView; child: boolean; open: boolean }
  | { kind: 'compensation'; key: string; depth: number; done: number; of: number }

const BELOW = ' › '

/** The key of a step of a child run, in the tree of its parent. */
function within(path: string, key: string): string {
  return path === '' ? key : `${path}${BELOW}${key}`
}

/** What has to be open for a row to be seen. */
export function above(key: string | undefined): string[] {
  const parts = key?.split(BELOW) ?? []
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join(BELOW))
}

/** A step of the run or of a run below it, and the picture that it is in. */
export function locate(picture: RunPicture, key: string | undefined): { picture: RunPicture; call: CallView } | undefined {
  if (key === undefined) return undefined
  const call = picture.calls.find((each) => each.key === key)
  if (call) return { picture, call }
  for (const [of, child] of Object.entries(picture.children ?? {})) {
    const found = key.startsWith(of + BELOW) ? locate(child, key.slice(of.length + BELOW.length)) : undefined
    if (found) return found
  }
  return undefined
}

export function lines(picture: RunPicture, opened: ReadonlySet<string>): Line[] {
  const found: Line[] = [{ kind: 'run', key: '' }]
  fill(found, picture, { depth: 1, path: '', opened })
  return found
}

interface Where {
  depth: number
  path: string
  opened: ReadonlySet<string>
}

function fill(found: Line[], picture: RunPicture, where: Where): void {
  const work = picture.calls.filter((each) => !isUndo(each))
  const undo = picture.calls.filter(isUndo)
  const { depth, path } = where
  for (const block of blocks(work)) {
    if (block.parallel) found.push({ kind: 'block', key: within(path, `block ${block.key}`), depth, groups: block.groups })
    for (const group of block.groups) push(found, picture, group, block.parallel ? { ...where, depth: depth + 1 } : where)
  }
  if (undo.length > 0) {
    found.push({ kind: 'compensation', key: within(path, 'compensation'), depth: depth - 1, done: undo.filter((each) => each.state === 'compensated').length, of: undo.length })
    for (const block of blocks(undo)) block.groups.forEach((group) => push(found, picture, group, where))
  }
}

function push(found: Line[], picture: RunPicture, group: Group, where: Where): void {
  if (group.calls.length === 1) return one(found, picture, group.calls[0]!, where)
  const key = within(where.path, `map ${group.key}`)
  const open = where.opened.has(key)
  found.push({ kind: 'map', key, depth: where.depth, group, open })
  if (open) group.calls.forEach((call) => one(found, picture, call, { ...where, depth: where.depth + 1 }))
}

function one(found: Line[], picture: RunPicture, call: CallView, where: Where): void {
  const key = within(where.path, call.key)
  const child = picture.children?.[call.key]
  const open = child !== undefined && where.opened.has(key)
  found.push({ kind: 'call', key, depth: where.depth, call, child: (child?.calls.length ?? 0) > 0, open })
  if (child && open) fill(found, child, { ...where, depth: where.depth + 1, path: key })
}
