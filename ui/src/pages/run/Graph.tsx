// The graph of the steps as they were taken. The timeline is its equal for whoever cannot see it.
import { Handle, Position, type Edge, type Node, type NodeProps } from '@xyflow/react'
import { memo, useMemo } from 'react'
import type { RunPicture } from '../../api/schema'
import { Canvas } from '../../parts/Canvas'
import { duration, typeName } from '../../parts/format'
import { StateIcon, stateWord, tone } from '../../parts/State'
import { useNow } from '../../parts/Time'
import { words } from '../../words'
import { verdict } from './Decision'
import { spent, type Group } from './groups'
import { layout } from './layout'

const w = words.run

type StepNode = Node<{ group: Group; thin: boolean; current: boolean }, 'step'>

const COLORS = { work: 'var(--completed-fill)', undo: 'var(--compensated-fill)', failed: 'var(--failed-fill)' }
const SIDES = { work: ['bottom', 'top'], undo: ['up', 'below'], failed: ['right', 'left'] } as const

export default function Graph({ picture, chosen, choose }: { picture: RunPicture; chosen: string | undefined; choose: (key: string) => void }) {
  const laid = useMemo(() => layout(picture), [picture])
  const nodes = useMemo<StepNode[]>(
    () => laid.nodes.map(({ group, x, y, thin }) => ({
      id: group.key, type: 'step', position: { x, y }, width: thin ? 168 : 208, height: 42, draggable: false,
      data: { group, thin, current: group.calls.some((each) => each.key === chosen) },
    })),
    [laid, chosen],
  )
  const edges = useMemo<(Edge & { pathOptions: object })[]>(
    () => laid.edges.map(({ from, to, kind }) => ({
      id: `${from} ${to}`, source: from, target: to, type: 'smoothstep', pathOptions: { offset: 12, borderRadius: 6 }, sourceHandle: SIDES[kind][0], targetHandle: SIDES[kind][1],
      style: { stroke: COLORS[kind], strokeWidth: 1.5 }, label: kind === 'failed' ? w.uncaught : undefined,
      markerEnd: { type: 'arrow' as never, color: COLORS[kind], width: 16, height: 16 }, focusable: false,
    })),
    [laid],
  )
  return (
    <div className="graph tl">
      <Canvas label={w.graphOf} nodes={nodes} edges={edges} nodeTypes={TYPES} pick={(node) => choose(node.data.group.calls[0]!.key)}>
        <div className="lanes"><span>{w.work}</span>{laid.hasUndo && <span style={{ color: 'var(--compensating)' }}>{w.undo}</span>}</div>
      </Canvas>
      <div className="legend">
        {['completed', 'failed', 'compensated', 'incident', 'running', 'waiting'].map((state) => <span key={state} className="wide"><StateIcon state={state} />{stateWord(state)}</span>)}
        <span style={{ marginLeft: 'auto' }}>{w.steps(picture.calls.length)}</span>
        <span className="wide"><kbd aria-hidden="true">f</kbd>{words.canvas.fit}</span>
      </div>
    </div>
  )
}

const Step = memo(function Step({ data: { group, thin, current } }: NodeProps<StepNode>) {
  const now = useNow()
  const sub = second(group)
  return (
    <div className={`gnode ${thin ? 'thin' : ''}`}>
      <Handle id="top" type="target" position={Position.Top} />
      <Handle id="below" type="target" position={Position.Bottom} />
      <Handle id="left" type="target" position={Position.Left} />
      <button className={`node ${tone(group.state)} ${current ? 'cur' : ''}`} title={`${group.name}, ${stateWord(group.state)}`}>
        <span className="ic" style={{ display: 'grid' }}><StateIcon state={group.state} small={false} /></span>
        <span className="txt">
          <span className="row"><span className="nm mono cut grow">{group.calls.length > 1 ? w.group(group.name, group.calls.length) : group.name}</span><span className="d">{duration(spent(group, now))}</span></span>
          {sub && <span className="sub cut" style={{ display: 'block' }}>{sub}</span>}
        </span>
      </button>
      <Handle id="bottom" type="source" position={Position.Bottom} />
      <Handle id="up" type="source" position={Position.Top} />
      <Handle id="right" type="source" position={Position.Right} />
    </div>
  )
})

const TYPES = { step: Step }

/** The second line, only if it says more. */
function second(group: Group): string {
  const first = group.calls[0]!
  if (group.calls.length > 1) {
    const done = group.calls.filter((each) => each.state === 'completed' || each.state === 'compensated').length
    return `${done} / ${group.calls.length} ${stateWord('completed').toLowerCase()}`
  }
  const attempts = (first.attempts ?? 0) > 1 ? w.attempts(first.attempts!) : ''
  const failure = first.failure ? typeName(first.failure.type) : ''
  return [attempts, failure, first.assignee ?? '', first.by ?? '', first.kind === 'child' ? first.child : '', first.kind === 'decision' ? verdict(first) : ''].filter(Boolean).join(' · ')
}
