// A drawing of nodes and lines that can be moved and zoomed. What it shows stands elsewhere as text as well.
import { Background, ReactFlow, ReactFlowProvider, useReactFlow, type Edge, type EdgeTypes, type Node, type NodeTypes } from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { useEffect, useRef, type ReactNode } from 'react'
import { words } from '../words'
import { Icon } from './Icon'
import { useKeys } from './keys'
import './canvas.css'

const w = words.canvas
const FIT = { padding: 0.12, maxZoom: 1 }

interface Props<N extends Node> {
  label: string
  nodes: N[]
  edges: Edge[]
  nodeTypes: NodeTypes
  edgeTypes?: EdgeTypes
  pick: (node: N) => void
  /** Width of the whole: it is then shown from its top, as wide as there is room, instead of whole and small. */
  fromTop?: number
  children?: ReactNode
}

export function Canvas<N extends Node>(props: Props<N>) {
  return (
    <ReactFlowProvider>
      <Inner {...props} />
    </ReactFlowProvider>
  )
}

function Inner<N extends Node>({ label, nodes, edges, nodeTypes, edgeTypes, pick, fromTop, children }: Props<N>) {
  const flow = useReactFlow()
  const fit = () => void flow.fitView(FIT)
  useKeys({ f: fit })
  const count = nodes.length
  useEffect(() => {
    if (fromTop !== undefined) return
    const wait = requestAnimationFrame(() => void flow.fitView(FIT))
    return () => cancelAnimationFrame(wait)
  }, [flow, count, fromTop])
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (fromTop === undefined) return
    const width = box.current?.clientWidth ?? fromTop
    const zoom = Math.min(1, Math.max(0.7, (width - 32) / fromTop))
    const wait = requestAnimationFrame(() => void flow.setViewport({ x: Math.max(16, (width - fromTop * zoom) / 2), y: 16, zoom }))
    return () => cancelAnimationFrame(wait)
  }, [flow, fromTop])
  return (
    <div className="canvas" role="group" aria-label={label} ref={box}>
      {children}
      <ReactFlow
        nodes={nodes} edges={edges} nodeTypes={nodeTypes} {...(edgeTypes ? { edgeTypes } : {})} onNodeClick={(_, node) => pick(node)}
        nodesConnectable={false} elementsSelectable={false} nodesFocusable={false} minZoom={0.1} maxZoom={2}
        fitView={fromTop === undefined} fitViewOptions={FIT} zoomOnScroll={fromTop === undefined} preventScrolling={fromTop === undefined} proOptions={{ hideAttribution: true }}
      >
        <Background gap={16} size={1} color="var(--line2)" bgColor="var(--bg)" />
      </ReactFlow>
      <div className="tools">
        <button aria-label={w.zoomIn} onClick={() => void flow.zoomIn()}><Icon name="plus" small /></button>
        <button aria-label={w.zoomOut} onClick={() => void flow.zoomOut()}><Icon name="minus" small /></button>
        <button aria-label={w.fit} onClick={fit}><Icon name="fit" small /></button>
      </div>
    </div>
  )
}
