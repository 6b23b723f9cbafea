// Makes a schedule, or changes one: when, with its next instants, then what it starts and how.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask } from '../../api/client'
import { workflowsQuery } from '../../api/queries'
import type { ScheduleBody, ScheduleView, WorkflowView } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { check, type Errors } from '../../parts/checking'
import { done } from '../../parts/Confirm'
import { Dialog } from '../../parts/Dialog'
import { size } from '../../parts/format'
import { beginning, type Schema } from '../../parts/schema'
import { SchemaForm } from '../../parts/SchemaForm'
import { words } from '../../words'
import { byName, inOrder, schemaOf } from '../workflows/arguments'
import { RuleFields } from './RuleFields'

const w = words.schedules
type Rule = ScheduleBody['when']
type Overlap = NonNullable<ScheduleBody['overlap']>

export function ScheduleForm({ schedule: shown, close }: { schedule?: ScheduleView; close: () => void }) {
  // As it was when the form was opened: what somebody else changes meanwhile is refused by its tag, and not written over.
  const [schedule] = useState(shown)
  const { data } = useQuery(workflowsQuery)
  const [workflow, setWorkflow] = useState(schedule?.workflow ?? '')
  const [name, setName] = useState(schedule?.name ?? '')
  const [when, setWhen] = useState<Rule>(schedule?.rule ?? { type: 'cron', line: '0 2 * * *', zone: Intl.DateTimeFormat().resolvedOptions().timeZone })
  const chosen = data?.find((each) => each.name === workflow)
  return (
    <Dialog title={schedule ? w.changeTitle(schedule.name) : w.createTitle} close={close}>
      <Form schedule={schedule} close={close} workflow={chosen} workflows={data ?? []} choose={setWorkflow} name={name} setName={setName} when={when} setWhen={setWhen} />
    </Dialog>
  )
}

interface Given {
  schedule: ScheduleView | undefined
  workflow: WorkflowView | undefined
  workflows: WorkflowView[]
  choose: (name: string) => void
  name: string
  setName: (name: string) => void
  when: Rule
  setWhen: (when: Rule) => void
  close: () => void
}

const seconds = (us: number | undefined) => (us ? `${us / 1_000_000}s` : '')

function Form({ schedule, workflow, workflows, choose, name, setName, when, setWhen, close }: Given) {
  const schema = (workflow ? schemaOf(workflow) : {}) as Schema
  // Of one workflow: another one, or one that comes late, leaves the other fields as they are.
  const [typed, setTyped] = useState<{ workflow: string; input: unknown }>()
  const input = !workflow ? undefined : typed?.workflow === workflow.name ? typed.input : schedule ? byName(workflow, schedule.input.value) : beginning(schema, schema.$defs ?? {})
  // Large arguments are not sent along: they stay as they are.
  const apart = schedule?.input.cut === true
  const asked = workflow !== undefined && workflow.parameters.length > 0 && !apart
  const [errors, setErrors] = useState<Errors>({})
  const [overlap, setOverlap] = useState<Overlap>(schedule?.policy.overlap ?? 'skip')
  const [jitter, setJitter] = useState(seconds(schedule?.policy.jitter))
  const [catchup, setCatchup] = useState(schedule ? seconds(schedule.policy.catchup) : '1d')
  const [note, setNote] = useState(schedule?.note ?? '')
  const [paused, setPaused] = useState(false)
  const [busy, begin] = useBusy()
  const submit = (event: React.FormEvent) => {
    event.preventDefault()
    if (!workflow || busy) return
    const found = asked ? check(schema, input, schema.$defs ?? {}, true) : {}
    setErrors(found)
    if (Object.keys(found).length > 0) return
    const body = { when, input: inOrder(workflow, input), overlap, jitter: jitter || 0, catchup: catchup || 0, note }
    const send = () => schedule
      ? ask('change_schedule', { path: { name: schedule.name }, body: changes(schedule, workflow, body), match: schedule.etag })
      : ask('create_schedule', { body: { ...body, name, workflow: workflow.name, paused: paused ? w.startPaused : null } })
    void begin(() => done(send(), schedule ? w.changedDone : w.created), close)
  }
  const wrong = Object.keys(errors).length
  return (
    <form onSubmit={submit} noValidate>
      <div className="in">
        {!schedule && (
          <div className="pair">
            <label className="fld">{w.name}<input className="inp mono" required value={name} onChange={(event) => setName(event.target.value)} /></label>
            <label className="fld">{w.workflow}<select className="inp" required value={workflow?.name ?? ''} onChange={(event) => { choose(event.target.value); setErrors({}) }}><option value="">{w.choose}</option>{workflows.map((each) => <option key={each.name}>{each.name}</option>)}</select></label>
          </div>
        )}
        {schedule?.declared && <p className="small dim">{w.changedMay}</p>}
        <RuleFields rule={when} change={setWhen} />
        {apart && <p className="small dim" style={{ marginTop: 14 }}>{w.inputApart(size(schedule.input.bytes))}</p>}
        {asked && (
          <fieldset className="sgroup"><legend>{w.input}</legend><SchemaForm key={workflow.name} schema={schema} value={input} change={(next) => { setTyped({ workflow: workflow.name, input: next }); setErrors({}) }} errors={errors} /></fieldset>
        )}
        <div className="pair">
          <label className="fld">{w.overlap}<select className="inp" value={overlap} onChange={(event) => setOverlap(event.target.value as Overlap)}>{Object.entries(w.overlaps).map(([key, text]) => <option key={key} value={key}>{text}</option>)}</select></label>
          <label className="fld">{w.note}<input className="inp" value={note} onChange={(event) => setNote(event.target.value)} /></label>
          <label className="fld">{w.jitter} <span className="faint">{w.periodHint}</span><input className="inp" value={jitter} onChange={(event) => setJitter(event.target.value)} /></label>
          <label className="fld">{w.catchup} <span className="faint">{w.periodHint}</span><input className="inp" value={catchup} onChange={(event) => setCatchup(event.target.value)} /></label>
        </div>
        {!schedule && <label className="row small" style={{ marginTop: 12, minHeight: 24 }}><input type="checkbox" checked={paused} onChange={(event) => setPaused(event.target.checked)} />{w.startPaused}</label>}
      </div>
      <footer>
        {wrong > 0 && <span className="failed word small grow" role="alert">{words.form.errors(wrong)}</span>}
        <button type="button" className="btn" onClick={close}>{words.run.back}</button>
        <button className="btn primary" disabled={busy || !workflow || name.trim() === ''}>{schedule ? w.save : w.make}</button>
      </footer>
    </form>
  )
}

/** Only what is otherwise: what stands in code is overruled field by field. */
function changes<B extends Pick<ScheduleBody, 'when' | 'input' | 'overlap' | 'jitter' | 'catchup' | 'note'>>(schedule: ScheduleView, workflow: WorkflowView, body: B): Partial<B> {
  const before: Record<string, unknown> = {
    when: schedule.rule, input: inOrder(workflow, byName(workflow, schedule.input.value)), overlap: schedule.policy.overlap ?? 'skip',
    jitter: seconds(schedule.policy.jitter) || 0, catchup: seconds(schedule.policy.catchup) || 0, note: schedule.note,
  }
  return Object.fromEntries(Object.entries(body).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(before[field]))) as Partial<B>
}
