// Asks before something is done to many runs: how many they are, what it does to them, to which of them it cannot be done.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask } from '../../api/client'
import { askAgain, LIVE } from '../../api/queries'
import type { BulkBody, BulkDone, BulkPreview } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { Dialog } from '../../parts/Dialog'
import { ErrorFace } from '../../parts/Faces'
import { say, sayError } from '../../parts/toasts'
import { words } from '../../words'
import type { Act, Chosen } from './Bulk'

const w = words.bulk
/** Above so many runs, what cannot be taken back is confirmed by typing their number. */
const TYPED = 20
const SHOWN = 6
const WITH_REASON: readonly Act[] = ['pause', 'cancel', 'terminate']
const FOR_GOOD: readonly Act[] = ['cancel', 'terminate']

export default function BulkDialog({ act, chosen, close, done }: { act: Act; chosen: Chosen; close: () => void; done: () => void }) {
  const [asked] = useState(chosen)
  const [result, setResult] = useState<BulkDone | null>(null)
  const preview = useQuery({
    queryKey: ['bulk', act, asked],
    queryFn: ({ signal }) => ask('preview_bulk', { body: { act: { do: act }, ...asked }, signal }),
    gcTime: 0,
    staleTime: Infinity,
  })
  const finish = () => {
    close()
    done()
  }
  return (
    <Dialog title={preview.data ? w.title(w.verbs[act], preview.data.chosen) : w.acts[act]} close={result ? finish : close}>
      {preview.error && <ErrorFace error={preview.error} retry={() => void preview.refetch()} />}
      {!preview.data && !preview.error && <p className="in dim">{w.looking}</p>}
      {preview.data && !result && <Ask act={act} asked={asked} preview={preview.data} close={close} carried={(found) => (found.done === found.chosen ? finish() : setResult(found))} />}
      {result && <Told result={result} close={finish} />}
    </Dialog>
  )
}

function Ask({ act, asked, preview, close, carried }: { act: Act; asked: Chosen; preview: BulkPreview; close: () => void; carried: (found: BulkDone) => void }) {
  const [reason, setReason] = useState('')
  const [typed, setTyped] = useState('')
  const [busy, begin] = useBusy()
  const { chosen, possible } = preview
  const mustType = FOR_GOOD.includes(act) && possible > TYPED
  const refused = preview.effects.filter((each) => each.refused)
  const submit = (event: React.FormEvent) => {
    event.preventDefault()
    const body: BulkBody = { act: WITH_REASON.includes(act) ? { do: act, reason } as BulkBody['act'] : { do: act } as BulkBody['act'], ...asked, expect: chosen }
    void begin(async () => {
      try {
        const found = await ask('carry_out_bulk', { body })
        say(w.done[act](found.done))
        void askAgain(LIVE)
        carried(found)
        return true
      } catch (error) {
        sayError(error)
        return false
      }
    })
  }
  return (
    <form onSubmit={submit}>
      <div className="in">
        <p>{w.effects[act]}</p>
        {possible < chosen && <p className="foreseen">{w.possible(possible, chosen)}<Lines lines={refused.map((each) => [each.id, each.refused!])} more={chosen - possible - Math.min(SHOWN, refused.length)} /></p>}
        {WITH_REASON.includes(act) && (
          <label className="fld">{words.run.reason} <span className="faint">{w.reasonHint}</span><input className="inp" value={reason} onChange={(event) => setReason(event.target.value)} /></label>
        )}
        {mustType && (
          <label className="fld">{w.type(possible)}<input className="inp num" inputMode="numeric" autoComplete="off" value={typed} onChange={(event) => setTyped(event.target.value)} /></label>
        )}
      </div>
      <footer>
        <button type="button" className="btn" onClick={close}>{words.run.back}</button>
        <button className={`btn ${act === 'terminate' || act === 'retry' ? 'act' : 'primary'}`} disabled={busy || possible === 0 || (mustType && typed.trim() !== String(possible))} autoFocus={!mustType}>{w.go(w.verbs[act], possible)}</button>
      </footer>
    </form>
  )
}

function Told({ result, close }: { result: BulkDone; close: () => void }) {
  const failed = result.outcomes.filter((each) => !each.done)
  return (
    <>
      <div className="in">
        <p>{w.partly(result.done, result.chosen)}</p>
        <div className="foreseen"><Lines lines={failed.map((each) => [each.id, each.text])} more={result.chosen - result.done - Math.min(SHOWN, failed.length)} /></div>
      </div>
      <footer><button className="btn primary" onClick={close} autoFocus>{words.frame.close}</button></footer>
    </>
  )
}

function Lines({ lines, more }: { lines: [string, string][]; more: number }) {
  return (
    <>
      {lines.slice(0, SHOWN).map(([id, text], i) => <span key={i} className="refusal"><span className="mono b">{id}</span> <span className="dim">{text}</span></span>)}
      {more > 0 && <span className="refusal faint">{words.json.more(more)}</span>}
    </>
  )
}
