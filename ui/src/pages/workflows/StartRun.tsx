// The form that starts a run, made from the types of the workflow's arguments.
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { ask } from '../../api/client'
import { parsed } from '../../api/exact'
import { keep } from '../../api/keeping'
import { namespace } from '../../api/place'
import { workflowsQuery } from '../../api/queries'
import type { WorkflowView } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { check, type Errors } from '../../parts/checking'
import { Dialog } from '../../parts/Dialog'
import { EmptyFace, ErrorFace } from '../../parts/Faces'
import { beginning } from '../../parts/schema'
import { SchemaForm } from '../../parts/SchemaForm'
import { say, sayError } from '../../parts/toasts'
import { words } from '../../words'
import { byName, inOrder, schemaOf } from './arguments'
import './workflows.css'

const w = words.workflows

export default function StartRun({ close, workflow, input }: { close: () => void; workflow?: string | undefined; input?: unknown }) {
  const { data, error } = useQuery(workflowsQuery)
  const [name, setName] = useState(workflow)
  const chosen = data?.find((each) => each.name === name)
  return (
    <Dialog title={chosen ? w.startTitle(chosen.name) : words.frame.start} close={close}>
      {error && <ErrorFace error={error} />}
      {data?.length === 0 && <EmptyFace title={w.none} hint={w.noneHint} code={w.sample} />}
      {data && !chosen && data.length > 0 && (
        <ul className="in picks">
          {data.map((each) => (
            <li key={each.name}>
              <button className="plain pick" onClick={() => setName(each.name)}><span className="mono b">{each.name}</span><span className="small dim cut">{each.summary}</span></button>
            </li>
          ))}
        </ul>
      )}
      {chosen && <Form key={chosen.name} workflow={chosen} input={chosen.name === workflow ? input : undefined} close={close} />}
    </Dialog>
  )
}

const last = (name: string) => `segue.input.${namespace ? `${namespace}/` : ''}${name}`

function Form({ workflow, input, close }: { workflow: WorkflowView; input: unknown; close: () => void }) {
  const navigate = useNavigate()
  const schema = schemaOf(workflow)
  const defs = schema.$defs ?? {}
  const [value, setValue] = useState<unknown>(() => {
    if (input !== undefined) return byName(workflow, input)
    const kept = localStorage.getItem(last(workflow.name))
    return kept === null ? beginning(schema, defs) : parsed(kept)
  })
  const [id, setId] = useState('')
  const [errors, setErrors] = useState<Errors>({})
  const [busy, begin] = useBusy()
  const submit = (event: React.FormEvent) => {
    event.preventDefault()
    if (busy) return // the keys press no button
    const found = check(schema, value, defs, true)
    setErrors(found)
    if (Object.keys(found).length > 0) return
    let run = 0
    const start = async () => {
      try {
        const made = await ask('start_run', { body: { workflow: workflow.name, input: inOrder(workflow, value), id: id.trim() || null } })
        run = made.run
        keep(last(workflow.name), JSON.stringify(value))
        say(`${w.started}: ${made.id}`)
        return true
      } catch (error) {
        sayError(error)
        return false
      }
    }
    void begin(start, () => {
      close()
      void navigate({ to: '/runs/$run', params: { run: String(run) } })
    })
  }
  const wrong = Object.keys(errors).length
  return (
    <form onSubmit={submit} noValidate onKeyDown={(event) => event.key === 'Enter' && (event.metaKey || event.ctrlKey) && submit(event)}>
      <div className="in">
        {workflow.summary && <p className="dim small" style={{ marginBottom: 8 }}>{workflow.summary}</p>}
        {workflow.parameters.length === 0 ? <p className="small dim">{w.noInput}</p> : <SchemaForm schema={schema} value={value} change={(next) => { setValue(next); setErrors({}) }} errors={errors} />}
        <label className="fld">{w.id} <span className="faint">{w.idHint}</span><input className="inp mono" value={id} onChange={(event) => setId(event.target.value)} /></label>
      </div>
      <footer>
        {wrong > 0 && <span className="failed word small grow" role="alert">{words.form.errors(wrong)}</span>}
        <button type="button" className="btn" onClick={close}>{words.run.back}</button>
        <button className="btn primary" disabled={busy}>{w.startDo} <kbd aria-hidden="true">⌘↵</kbd></button>
      </footer>
    </form>
  )
}
