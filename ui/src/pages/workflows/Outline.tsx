// What a workflow's code may do, drawn: the source beside it says the same to whoever cannot see it.
import { BaseEdge, Handle, Position, type Edge, type EdgeProps, type Node, type NodeProps } from '@xyflow/react'
import { useQuery } from '@tanstack/react-query'
import { memo, useMemo } from 'react'
import { outlineQuery } from '../../api/queries'
import type { Outline as OutlineData, OutlineNode } from '../../api/schema'
import { Canvas } from '../../parts/Canvas'
import { ErrorFace } from '../../parts/Faces'
import { Icon, type IconName } from '../../parts/Icon'
import { words } from '../../words'
import { isCode, isDone, path, place, wayText, type Point } from './outlining'

const w = words.outline

type Drawn = Node<{ node: OutlineNode; current: boolean }, 'done' | 'way'>
type Line = Edge<{ points: Point[]; at: Point | undefined; text: string }, 'routed'>

const TALLEST = 620
const COLORS = { next: 'var(--pending-fill)', back: 'var(--waiting-fill)', beside: 'var(--running-fill)', failed: 'var(--failed-fill)' }
const ICONS: Partial<Record<OutlineNode['kind'], [IconName, string]>> = {
  step: ['step', 'completed'], child: ['flow', 'running'], task: ['user', 'incident'], signal: ['signal', 'waiting'], sleep: ['waiting', 'waiting'], wait: ['waiting', 'waiting'],
  decision: ['branch', 'completed'], message: ['signal', 'running'], again: ['retrying', 'pending'], unknown: ['unknown', 'retrying'],
  branch: ['branch', 'pending'], loop: ['retrying', 'waiting'], parallel: ['lanes', 'running'], saga: ['compensating', 'compensating'], timeout: ['waiting', 'waiting'], handler: ['signal', 'waiting'], fails: ['failed', 'failed'], continues: ['skipped', 'running'],
}

export default function Outline({ name, line, choose }: { name: string; line: number | undefined; choose: (line: number) => void }) {
  const { data, error, refetch } = useQuery(outlineQuery(name))
  if (error && !data) return <ErrorFace error={error} retry={() => void refetch()} />
  if (!data) return <div className="panel outline" style={{ height: 200 }} />
  if (data.read === false) return <p className="panel nothing">{w.unread}</p>
  return <Drawing outline={data} line={line} choose={choose} />
}

function Drawing({ outline, line, choose }: { outline: OutlineData; line: number | undefined; choose: (line: number) => void }) {
  const placed = useMemo(() => place(outline), [outline])
  const nodes = useMemo<Drawn[]>(
    () => placed.nodes.map(({ node, x, y, width, height }) => ({
      id: String(node.id), type: isDone(node) ? 'done' : 'way', position: { x, y }, width, height, draggable: false,
      data: { node, current: line !== undefined && node.line === line && isDone(node) },
    })),
    [placed, line],
  )
  const edges = useMemo<Line[]>(
    () => placed.lines.map(({ edge, points, label }, i) => {
      const color = COLORS[edge.kind ?? 'next']
      return {
        id: String(i), source: String(edge.source), target: String(edge.target), type: 'routed', focusable: false, data: { points, at: label, text: edge.label ?? '' },
        style: { stroke: color, strokeWidth: 1.5, ...(edge.kind === 'next' ? {} : { strokeDasharray: '4 3' }) },
        markerEnd: { type: 'arrowclosed' as never, color, width: 14, height: 14 },
      }
    }),
    [placed],
  )
  return (
    <div className="panel outline" style={{ height: Math.min(TALLEST, placed.height + 74) }}>
      <Canvas label={w.of} nodes={nodes} edges={edges} nodeTypes={NODES} edgeTypes={EDGES} fromTop={placed.width} pick={({ data: { node } }) => node.line != null && choose(node.line)} />
      <div className="legend">
        {KEYS.filter(([, kinds]) => outline.nodes.some(kinds)).map(([key, , icon, tone]) => <span key={key}><Icon name={icon} small className={`st ${tone}`} />{w.kinds[key]}</span>)}
        {outline.cut && <span style={{ marginLeft: 'auto' }}>{w.cut}</span>}
      </div>
    </div>
  )
}

type Key = keyof typeof w.kinds
const of = (...kinds: OutlineNode['kind'][]) => (node: OutlineNode) => kinds.includes(node.kind) && node.undo !== true
const KEYS: [Key, (node: OutlineNode) => boolean, IconName, string][] = [
  ['step', of('step'), 'step', 'completed'], ['child', of('child'), 'flow', 'running'], ['task', of('task'), 'user', 'incident'], ['signal', of('signal', 'handler'), 'signal', 'waiting'],
  ['sleep', of('sleep', 'wait', 'timeout'), 'waiting', 'waiting'], ['undo', (node) => node.undo === true, 'compensating', 'compensating'], ['unknown', of('unknown'), 'unknown', 'retrying'],
]

const Ends = () => (
  <>
    <Handle type="target" position={Position.Top} />
    <Handle type="source" position={Position.Bottom} />
  </>
)

const Done = memo(function Done({ data: { node, current } }: NodeProps<Drawn>) {
  const [icon, tone] = node.undo ? (['compensating', 'compensating'] as const) : ICONS[node.kind]!
  const below = second(node)
  return (
    <div className="gnode">
      <button className={`node ${tone === 'completed' ? '' : tone} ${current ? 'cur' : ''} ${node.kind === 'unknown' ? 'pending' : ''}`} title={[first(node), below, node.line != null ? w.line(node.line) : ''].filter(Boolean).join(', ')}>
        <span className={`ic st ${tone}`} style={{ display: 'grid' }}><Icon name={icon} /></span>
        <span className="txt">
          <span className="nm mono cut" style={{ display: 'block' }}>{node.many ? w.many(first(node)) : first(node)}</span>
          {below && <span className="sub cut" style={{ display: 'block' }}>{below}</span>}
        </span>
      </button>
      <Ends />
    </div>
  )
})

const Way = memo(function Way({ data: { node } }: NodeProps<Drawn>) {
  const [icon, tone] = ICONS[node.kind] ?? [undefined, '']
  const text = wayText(node)
  return (
    <div className={`way ${node.kind}`} title={node.inside ? `${text}, ${w.inside(node.inside)}` : text}>
      {icon && <Icon name={icon} small className={`st ${tone}`} />}
      <span className={`cut ${isCode(node) ? 'mono' : ''}`}>{text}</span>
      <Ends />
    </div>
  )
})

function Routed({ data, style, markerEnd }: EdgeProps<Line>) {
  return (
    <>
      <BaseEdge path={path(data?.points ?? [])} style={style ?? {}} {...(markerEnd ? { markerEnd } : {})} />
      {data?.at && <text className="waylabel" x={data.at.x} y={data.at.y} dy="3.5" textAnchor="middle">{data.text}</text>}
    </>
  )
}

const NODES = { done: Done, way: Way }
const EDGES = { routed: Routed }

function first(node: OutlineNode): string {
  if (node.kind === 'sleep') return w.sleeps(node.name)
  return node.kind === 'again' ? w.again(node.name) : node.name
}

/** The second line, only if it says more. */
function second(node: OutlineNode): string {
  const who = node.kind === 'task' && node.detail ? w.asks(node.detail) : node.kind === 'unknown' ? w.unknown : (node.detail ?? '')
  return [who, node.inside ? w.inside(node.inside) : ''].filter(Boolean).join(' · ')
}
