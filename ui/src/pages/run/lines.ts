// The rows of the timeline: the run, its steps as a tree, its compensation as a group of its own.
import type { CallView, RunPicture } from '../../api/schema'
import { blocks, isUndo, type Group } from './groups'

export type Line =
  | { kind: 'run'; key: string }
  | { kind: 'block'; key: string; depth: number; groups: Group[] }
  | { kind: 'map'; key: string; depth: number; group: Group; open: boolean }
  | { kind: 'call'; key: string; depth: number; call: CallView }
  | { kind: 'compensation'; key: string; done: number; of: number }

export function lines(picture: RunPicture, opened: ReadonlySet<string>): Line[] {
  const work = picture.calls.filter((each) => !isUndo(each))
  const undo = picture.calls.filter(isUndo)
  const found: Line[] = [{ kind: 'run', key: '' }]
  for (const block of blocks(work)) {
    if (block.parallel) found.push({ kind: 'block', key: `block ${block.key}`, depth: 1, groups: block.groups })
    for (const group of block.groups) push(found, group, block.parallel ? 2 : 1, opened)
  }
  if (undo.length > 0) {
    found.push({ kind: 'compensation', key: 'compensation', done: undo.filter((each) => each.state === 'compensated').length, of: undo.length })
    for (const block of blocks(undo)) block.groups.forEach((group) => push(found, group, 1, opened))
  }
  return found
}

function push(found: Line[], group: Group, depth: number, opened: ReadonlySet<string>): void {
  if (group.calls.length === 1) {
    found.push({ kind: 'call', key: group.calls[0]!.key, depth, call: group.calls[0]! })
    return
  }
  const key = `map ${group.key}`
  const open = opened.has(key)
  found.push({ kind: 'map', key, depth, group, open })
  if (open) group.calls.forEach((call) => found.push({ kind: 'call', key: call.key, depth: depth + 1, call }))
}
