// Where the nodes of an outline lie and how its lines run: by dagre, from the top down, the same every time.
import { Graph, layout } from '@dagrejs/dagre'
import type { Outline, OutlineEdge, OutlineNode } from '../../api/schema'
import { words } from '../../words'

const w = words.outline

export interface Point {
  x: number
  y: number
}

export interface PlacedNode {
  node: OutlineNode
  x: number
  y: number
  width: number
  height: number
}

export interface PlacedLine {
  edge: OutlineEdge
  points: Point[]
  label: Point | undefined
}

export interface Placed {
  nodes: PlacedNode[]
  lines: PlacedLine[]
  width: number
  height: number
}

const WIDE = 208
const HIGH = 42
const LOW = 26
const LETTER = 6.6
const MONO = 7.3
const DOES = new Set(['step', 'child', 'task', 'signal', 'sleep', 'wait', 'decision', 'message', 'again', 'unknown'])

/** Whether a run does it; the others are places where ways part and meet. */
export function isDone(node: OutlineNode): boolean {
  return DOES.has(node.kind)
}

/** Whether its words are code. */
export function isCode(node: OutlineNode): boolean {
  return ['branch', 'loop', 'start'].includes(node.kind)
}

/** The words for a place where ways part, meet, begin or end. */
export function wayText(node: OutlineNode): string {
  switch (node.kind) {
    case 'start': return node.name
    case 'end': return w.end
    case 'fails': return node.name ? w.failsWith(node.name) : w.fails
    case 'continues': return w.continues
    case 'handler': return w.takes(node.detail ?? '', node.name)
    case 'parallel': return node.name ? w.forMany(node.name) : w.beside
    case 'join': return w.join
    case 'try': return w.tries
    case 'saga': return node.detail === 'group' ? w.group : w.saga
    case 'timeout': return w.within(node.name)
    case 'loop': return node.name || w.forEver
    default: return node.name
  }
}

function measured(node: OutlineNode): { width: number; height: number } {
  if (isDone(node)) return { width: WIDE, height: HIGH }
  return { width: Math.min(300, Math.max(64, 48 + (isCode(node) ? MONO : LETTER) * wayText(node).length)), height: LOW }
}

export function place(outline: Outline): Placed {
  const graph = new Graph({ multigraph: true })
  graph.setGraph({ rankdir: 'TB', nodesep: 28, edgesep: 14, ranksep: 26, marginx: 8, marginy: 8 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const node of outline.nodes) graph.setNode(String(node.id), measured(node))
  outline.edges.forEach((edge, i) => {
    const label = edge.label ? { width: Math.min(160, 12 + LETTER * edge.label.length), height: 14, labelpos: 'c' } : {}
    graph.setEdge(String(edge.source), String(edge.target), { ...label, weight: edge.kind === 'next' ? 3 : 1 }, String(i))
  })
  layout(graph)
  const nodes = outline.nodes.map((node) => {
    const { x, y, width, height } = graph.node(String(node.id)) as { x: number; y: number; width: number; height: number }
    return { node, x: x - width / 2, y: y - height / 2, width, height }
  })
  const lines = outline.edges.map((edge, i) => {
    const found = graph.edge(String(edge.source), String(edge.target), String(i)) as { points: Point[]; x?: number; y?: number }
    return { edge, points: found.points, label: edge.label && found.x !== undefined && found.y !== undefined ? { x: found.x, y: found.y } : undefined }
  })
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return { nodes, lines, width, height }
}

/** A line through points, with its corners rounded. */
export function path(points: Point[]): string {
  const [first, ...rest] = points
  if (!first) return ''
  const parts = [`M ${first.x} ${first.y}`]
  rest.forEach((point, i) => {
    const next = rest[i + 1]
    parts.push(next ? `Q ${point.x} ${point.y} ${(point.x + next.x) / 2} ${(point.y + next.y) / 2}` : `L ${point.x} ${point.y}`)
  })
  return parts.join(' ')
}
