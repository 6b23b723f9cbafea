// What is open over the page: the palette, the list of keys, the form that starts a run.
import { createContext, useContext } from 'react'

export type Opened = 'palette' | 'keys' | 'start' | 'namespaces' | null

export interface Action {
  label: string
  keys?: string
  act: () => void
}

export interface FrameState {
  /** `input`: what the form that starts a run begins with, as it is recorded. */
  open: (what: Opened, workflow?: string, input?: unknown) => void
  /** The actions of the page, for the palette. */
  setActions: (actions: Action[]) => void
}

export const FrameContext = createContext<FrameState>({ open: () => undefined, setActions: () => undefined })

export const useFrame = () => useContext(FrameContext)
