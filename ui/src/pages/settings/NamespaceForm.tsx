// Says what a namespace is for, and how long its runs are kept after their end; what is refused is said at its field.
import { useState } from 'react'
import { ask, Refusal } from '../../api/client'
import { askAgain, namespacesQuery } from '../../api/queries'
import type { NamespaceChange, NamespaceView, RetentionRule } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { Dialog } from '../../parts/Dialog'
import { Icon } from '../../parts/Icon'
import { say, sayError } from '../../parts/toasts'
import { words } from '../../words'
import { kept } from './kept'

const w = words.namespaces
const WAYS = ['settings', 'forever', 'rules'] as const
type Way = (typeof WAYS)[number]
const STATES = ['completed', 'failed', 'cancelled', 'terminated'] as const

interface Wrong { path: string; text: string }
/** A rule as it is typed; `id` keeps its fields apart from those of others while rules come and go. */
interface Draft { id: number; keep: string; workflow: string; state: string }

let last = 0
const draft = (rule: Partial<RetentionRule>): Draft => ({ id: ++last, keep: rule.keep ?? '', workflow: rule.workflow ?? '', state: rule.state ?? '' })
const rule = (of: Draft): RetentionRule => ({ keep: of.keep.trim(), workflow: of.workflow.trim() || null, state: (of.state || null) as RetentionRule['state'] })
const wayOf = (retention: RetentionRule[] | null): Way => (retention === null ? 'settings' : retention.length === 0 ? 'forever' : 'rules')

export function NamespaceForm({ of, settings, close }: { of: NamespaceView; settings: RetentionRule[]; close: () => void }) {
  // What the fields began with: the list may have gone on meanwhile.
  const [seen] = useState(of.etag)
  const [description, setDescription] = useState(of.description)
  const [way, setWay] = useState<Way>(wayOf(of.retention))
  const [rules, setRules] = useState<Draft[]>(() => (of.retention?.length ? of.retention : [{ keep: '30d' }]).map(draft))
  const [wrong, setWrong] = useState<Wrong | null>(null)
  const [busy, begin] = useBusy()
  const change = (next: Draft[]) => {
    setRules(next)
    setWrong(null)
  }
  const submit = (event: React.FormEvent) => {
    event.preventDefault()
    const retention = way === 'settings' ? null : way === 'forever' ? [] : rules.map(rule)
    const body: NamespaceChange = { ...(description === of.description ? {} : { description }), ...(way === 'rules' || way !== wayOf(of.retention) ? { retention } : {}) }
    const save = async () => {
      try {
        await ask('change_namespace', { path: { name: of.name }, body, match: seen })
        say(w.changed(of.name))
        await askAgain({ queryKey: namespacesQuery.queryKey })
        return true
      } catch (error) {
        const path = error instanceof Refusal ? error.problem.path : undefined
        if (path?.startsWith('$.')) setWrong({ path: path.slice(2), text: (error as Refusal).problem.detail })
        else {
          sayError(error)
          void askAgain({ queryKey: namespacesQuery.queryKey }) // perhaps somebody else has changed it
        }
        return false
      }
    }
    void begin(save, close)
  }
  const whole = wrong?.path === 'retention' ? wrong : null
  return (
    <Dialog title={w.whose(of.name)} close={close}>
      <form onSubmit={submit} noValidate>
        <div className="in">
          <label className="fld" style={{ marginTop: 0 }}>{w.description} <span className="faint">{w.descriptionHint}</span>
            <textarea className="inp" rows={3} value={description} aria-invalid={wrong?.path === 'description'} aria-describedby={wrong?.path === 'description' ? 'wrong' : undefined} onChange={(event) => { setDescription(event.target.value); setWrong(null) }} />
          </label>
          {wrong?.path === 'description' && <Told wrong={wrong} />}
          <div className="fld" role="group" aria-label={w.ended}>{w.ended}
            <span className="seg ways">{WAYS.map((each) => <button key={each} type="button" aria-pressed={way === each} onClick={() => { setWay(each); setWrong(null) }}>{w.ways[each]}</button>)}</span>
          </div>
          {way === 'settings' && <p className="foreseen">{w.bySettingsWhat} <span className="faint">{w.bySettingsHere(kept(settings))}</span></p>}
          {way === 'forever' && <p className="foreseen">{w.foreverWhat}</p>}
          {way === 'rules' && (
            <fieldset className="rules" aria-describedby={whole ? 'wrong' : undefined}>
              <legend className="sr">{w.rules}</legend>
              {rules.map((each, at) => (
                <Fields key={each.id} of={each} at={at} wrong={wrong} change={(next) => change(rules.map((old) => (old === each ? next : old)))} drop={rules.length === 1 ? undefined : () => change(rules.filter((old) => old !== each))} />
              ))}
              {whole && <Told wrong={whole} />}
              <button type="button" className="btn quiet" onClick={() => change([...rules, draft({})])}><Icon name="plus" small />{w.addRule}</button>
            </fieldset>
          )}
          {way === 'rules' && <p className="foreseen">{w.deletes}</p>}
        </div>
        <footer>
          {wrong && <span className="failed word small grow" role="alert">{words.form.errors(1)}</span>}
          <button type="button" className="btn" onClick={close}>{words.run.back}</button><button className="btn primary" disabled={busy}>{w.save}</button>
        </footer>
      </form>
    </Dialog>
  )
}

function Fields({ of, at, wrong, change, drop }: { of: Draft; at: number; wrong: Wrong | null; change: (next: Draft) => void; drop: (() => void) | undefined }) {
  const here = wrong?.path.startsWith(`retention[${at}]`) ? wrong : null
  const field = here?.path.slice(`retention[${at}].`.length) || 'keep'
  const told = (name: string) => ({ 'aria-invalid': here !== null && field === name, 'aria-describedby': here !== null && field === name ? 'wrong' : undefined })
  return (
    <div className="rule" role="group" aria-label={w.rule(at + 1)}>
      <label className="fld">{w.keep} <span className="faint">{w.keepHint}</span><input className="inp mono" value={of.keep} {...told('keep')} onChange={(event) => change({ ...of, keep: event.target.value })} /></label>
      <label className="fld">{w.state}<select className="inp" value={of.state} {...told('state')} onChange={(event) => change({ ...of, state: event.target.value })}><option value="">{w.anyState}</option>{STATES.map((each) => <option key={each} value={each}>{words.states[each]}</option>)}</select></label>
      <label className="fld">{w.workflow}<input className="inp mono" placeholder={w.anyWorkflow} value={of.workflow} {...told('workflow')} onChange={(event) => change({ ...of, workflow: event.target.value })} /></label>
      {drop ? <button type="button" className="btn quiet" aria-label={w.dropRule(at + 1)} onClick={drop}><Icon name="x" small /></button> : <span />}
      {here && <Told wrong={here} />}
    </div>
  )
}

function Told({ wrong }: { wrong: Wrong }) {
  return <p id="wrong" className="told failed word">{wrong.text}</p>
}
