// The command palette while its code is on its way: what is typed is typed into it, and not at the page.
import type { RefObject } from 'react'
import { Dialog } from '../parts/Dialog'
import { words } from '../words'
import type { Action } from './opening'

/** `typed`: what stands in it before there is anything to choose from. */
export interface PaletteProps { close: () => void; actions: Action[]; typed: RefObject<string> }

export function PaletteToCome({ close, typed }: PaletteProps) {
  const leave = () => {
    typed.current = ''
    close()
  }
  return (
    <Dialog title={words.palette.label} close={leave} className="palette" bare>
      <input aria-label={words.palette.label} placeholder={words.palette.hint} onChange={(event) => { typed.current = event.target.value }} />
    </Dialog>
  )
}
