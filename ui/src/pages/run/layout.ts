// Where the nodes of the graph lie: work goes down the left, undo comes back up the right. The same every time.
import type { RunPicture } from '../../api/schema'
import { blocks, groups, isUndo, type Block, type Group } from './groups'

export interface Placed {
  group: Group
  x: number
  y: number
  thin: boolean
}

export interface Line {
  from: string
  to: string
  kind: 'work' | 'undo' | 'failed'
}

export interface Layout {
  nodes: Placed[]
  edges: Line[]
  hasUndo: boolean
}

const PITCH = 70
const WIDE = 208
const THIN = 168
const GAP = 16
/** More nodes than this open folded by name. */
const MOST = 60
/** Nodes side by side before they are folded by name. */
const ABREAST = 5

export function layout(picture: RunPicture): Layout {
  const calls = picture.calls.filter((each) => each.kind !== 'signal' && each.kind !== 'update')
  const work = folded(blocks(calls.filter((each) => !isUndo(each))))
  const undo = folded(blocks(calls.filter(isUndo)))
  const breadth = Math.max(WIDE, ...work.map((block) => width(block)))
  const nodes: Placed[] = []
  work.forEach((block, row) => place(nodes, block, 0, row * PITCH))
  const bottom = Math.max(work.length, undo.length) - 1
  undo.forEach((block, i) => place(nodes, block, breadth / 2 + 120 + WIDE, (bottom - i) * PITCH))
  const edges = [...chain(work, 'work'), ...chain(undo, 'undo')]
  const turn = turningPoint(work)
  const first = undo[0]?.groups[0]
  if (turn && first) edges.push({ from: turn.key, to: first.key, kind: 'failed' })
  return { nodes, edges, hasUndo: undo.length > 0 }
}

function folded(found: Block[]): Block[] {
  const narrow = found.map((block) => (block.groups.length > ABREAST ? { ...block, groups: groups(block.groups.flatMap((each) => each.calls)) } : block))
  if (narrow.reduce((sum, block) => sum + block.groups.length, 0) <= MOST) return narrow
  return groups(found.flatMap((block) => block.groups.flatMap((each) => each.calls))).map((group) => ({ key: group.key, parallel: false, groups: [group] }))
}

function width(block: Block): number {
  const n = block.groups.length
  return n === 1 ? WIDE : n * THIN + (n - 1) * GAP
}

function place(nodes: Placed[], block: Block, center: number, y: number): void {
  const thin = block.groups.length > 1
  const each = thin ? THIN : WIDE
  const left = center - width(block) / 2
  block.groups.forEach((group, i) => nodes.push({ group, x: left + i * (each + GAP), y, thin }))
}

function chain(found: Block[], kind: Line['kind']): Line[] {
  return found.slice(1).flatMap((block, i) => found[i]!.groups.flatMap((from) => block.groups.map((to) => ({ from: from.key, to: to.key, kind }))))
}

/** The step whose failure began the undoing: the last that failed. */
function turningPoint(work: Block[]): Group | undefined {
  const all = work.flatMap((block) => block.groups)
  return [...all].reverse().find((each) => each.state === 'failed')
}
