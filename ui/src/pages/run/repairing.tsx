// Repairing a run by hand: a call answered, other arguments, a part run again, a fork; each says first what it does.
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAllowed } from '../../api/allowed'
import { ask } from '../../api/client'
import { parsed } from '../../api/exact'
import { valueQuery } from '../../api/queries'
import type { CallView, Effect, RunPicture, RunView } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { done } from '../../parts/Confirm'
import { Dialog } from '../../parts/Dialog'
import { ErrorFace } from '../../parts/Faces'
import { size } from '../../parts/format'
import { words } from '../../words'

const w = words.repair

/** What can be done to the selected call. */
export function CallButtons({ picture, call }: { picture: RunPicture; call: CallView }) {
  const may = useAllowed()
  // With the call that it was opened for: another one may be chosen meanwhile, by news of the run or by the way back.
  const [open, setOpen] = useState<{ what: 'skip' | 'input' | 'again'; run: number; call: CallView } | null>(null)
  const close = () => setOpen(null)
  const dialog = (what: 'skip' | 'input' | 'again') => setOpen({ what, run: picture.run.run, call })
  const running = picture.run.closed_at === null
  const still = ['incident', 'retrying'].includes(call.state)
  const skip = running && may('runs:act') && (still || ['running', 'waiting', 'pending'].includes(call.state))
  const input = running && may('runs:act') && still && call.kind === 'step'
  const again = (!running || picture.run.state === 'incident') && (may('runs:act') || may('runs:start'))
  if (!skip && !input && !again && !open) return null
  return (
    <section>
      <div className="row" style={{ flexWrap: 'wrap' }}>
        {skip && <button className="btn" onClick={() => dialog('skip')}>{w.skip}</button>}
        {input && <button className="btn" onClick={() => dialog('input')}>{w.input}</button>}
        {again && <button className="btn" onClick={() => dialog('again')}>{w.again}</button>}
      </div>
      {open?.what === 'skip' && <ValueForm title={w.skipTitle(open.call.name)} what={w.skipWhat} label={w.result} start={null} button={w.skipDo} close={close} act={(result) => done(ask('skip_call', { path: { run: open.run }, body: { call: open.call.key, result } }), w.skipped)} />}
      {open?.what === 'input' && <InputForm run={open.run} call={open.call} close={close} />}
      {open?.what === 'again' && <GoOn picture={picture} step={open.call.key} name={open.call.name} close={close} />}
    </section>
  )
}

/** Arguments as they are recorded: by name, those by position under `*`. */
function split(value: unknown): { arguments: unknown[]; named: Record<string, unknown> } {
  if (Array.isArray(value)) return { arguments: value, named: {} }
  const { '*': by, ...named } = (value ?? {}) as Record<string, unknown>
  return { arguments: Array.isArray(by) ? by : [], named }
}

/** Bytes of arguments that a person might edit. */
const EDITED = 2_000_000

/** Begins with what the attempts got, which is asked for where it is large: nobody gives others without having seen these. */
function InputForm({ run, call, close }: { run: number; call: CallView; close: () => void }) {
  const given = call.input
  const wanted = given?.cut === true && given.bytes <= EDITED
  const { data, error, refetch } = useQuery({ ...valueQuery(run, given?.seq ?? 0, given?.field ?? ''), enabled: wanted })
  const title = w.inputTitle(call.name)
  if (wanted && !data) return <Dialog title={title} close={close}>{error ? <ErrorFace error={error} retry={() => void refetch()} /> : <p className="in dim">{words.faces.loading}</p>}</Dialog>
  const shown = data ?? given
  const unseen = shown && !('value' in shown) ? w.inputUnseen(size(shown.bytes)) : undefined
  return <ValueForm title={title} what={w.inputWhat} unseen={unseen} label={w.arguments} start={unseen ? undefined : (shown?.value ?? {})} button={w.inputDo} close={close} act={(value) => done(ask('edit_input', { path: { run }, body: { call: call.key, ...split(value) } }), w.given)} />
}

interface Asked {
  title: string
  what: string
  /** What is replaced, where it cannot be shown. */
  unseen?: string | undefined
  label: string
  start: unknown
  button: string
  close: () => void
  act: (value: unknown) => Promise<boolean>
}

function ValueForm({ title, what, unseen, label, start, button, close, act }: Asked) {
  const [text, setText] = useState(start === undefined ? '' : JSON.stringify(start, null, 2))
  const [wrong, setWrong] = useState('')
  const [busy, begin] = useBusy()
  const submit = (event: React.FormEvent) => {
    event.preventDefault()
    let value: unknown
    try {
      value = parsed(text)
    } catch {
      return setWrong(words.run.notJson)
    }
    void begin(() => act(value), close)
  }
  return (
    <Dialog title={title} close={close}>
      <form onSubmit={submit}>
        <div className="in">
          <p>{what}</p>
          {unseen && <p className="foreseen" role="note">{unseen}</p>}
          <label className="fld">{label}<textarea className="inp mono" rows={8} value={text} aria-invalid={wrong !== ''} onChange={(event) => { setText(event.target.value); setWrong('') }} /></label>
          {wrong && <p className="failed word small" role="alert">{wrong}</p>}
        </div>
        <footer>
          <button type="button" className="btn" onClick={close}>{words.run.back}</button>
          <button className="btn primary" disabled={busy}>{button}</button>
        </footer>
      </form>
    </Dialog>
  )
}

/** Goes on from before a step, or from behind an event: under the same id, or as a new run beside it. */
export function GoOn({ picture, step, seq, name, close }: { picture: RunPicture; step?: string; seq?: number; name: string; close: () => void }) {
  const navigate = useNavigate()
  const may = useAllowed()
  const { run } = picture
  const [code, setCode] = useState<'same' | 'newest'>('same')
  const [id, setId] = useState('')
  const path = { run: run.run }
  const { data, error } = useQuery({ queryKey: ['fork-preview', run.run, step, seq, code], queryFn: ({ signal }) => ask('preview_fork', { path, query: { step, seq, code }, signal }), retry: false })
  const [busy, begin] = useBusy()
  const go = (work: () => Promise<RunView>, text: string) => {
    let made = 0
    void begin(() => done(work().then((view) => (made = view.run)), text), () => {
      close()
      void navigate({ to: '/runs/$run', params: { run: String(made) } })
    })
  }
  const refused = busy || !data || data.refused !== '' || error !== null
  return (
    <Dialog title={w.goOnTitle(name)} close={close}>
      <div className="in">
        <div className="foreseen" role="status">{error ? <p className="failed word">{error.message}</p> : data ? <Foreseen effect={data} /> : words.faces.loading}</div>
        <label className="fld">{w.code}<select className="inp" value={code} onChange={(event) => setCode(event.target.value as typeof code)}><option value="same">{w.same}</option><option value="newest">{w.newest}</option></select></label>
        {may('runs:start') && <label className="fld">{w.forkId} <span className="faint">{w.forkIdHint}</span><input className="inp mono" value={id} onChange={(event) => setId(event.target.value)} /></label>}
        {step !== undefined && run.closed_at === null && <p className="small dim" style={{ marginTop: 8 }}>{w.ends}</p>}
      </div>
      <footer>
        <button type="button" className="btn" onClick={close}>{words.run.back}</button>
        {may('runs:start') && <button className="btn" disabled={refused} onClick={() => go(() => ask('fork_run', { path, body: { step, seq, code, id: id.trim() || null } }), w.forked)}>{w.fork}</button>}
        {step !== undefined && may('runs:act') && <button className="btn primary" disabled={refused} onClick={() => go(() => ask('rerun', { path, body: { step, code } }), w.rerun)}>{w.rerunDo(run.id)}</button>}
      </footer>
    </Dialog>
  )
}

export function Foreseen({ effect }: { effect: Effect }) {
  if (effect.refused) return <p className="failed word">{effect.refused}</p>
  const told = [[w.runsAgain, effect.again], [w.kept, effect.kept], [w.undone, effect.undone]] as const
  return (
    <>
      <p>{effect.action}</p>
      <dl className="told">{told.filter(([, keys]) => keys?.length).map(([word, keys]) => <div key={word}><dt>{word}</dt><dd className="mono">{keys!.join(', ')}</dd></div>)}</dl>
    </>
  )
}
