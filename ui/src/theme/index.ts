// The theme: Mantine's variables from our tokens, and the choice between light, dark and what the system says.
import { createTheme, type CSSVariablesResolver } from '@mantine/core'

export const theme = createTheme({
  fontFamily: 'var(--sans)',
  fontFamilyMonospace: 'var(--mono)',
  fontSizes: { xs: 'var(--t1)', sm: 'var(--t2)', md: 'var(--t3)', lg: 'var(--t4)', xl: 'var(--t5)' },
  radius: { xs: 'var(--r1)', sm: 'var(--r2)', md: 'var(--r2)', lg: 'var(--r3)', xl: 'var(--r3)' },
  spacing: { xs: 'var(--s1)', sm: 'var(--s2)', md: 'var(--s3)', lg: 'var(--s4)', xl: 'var(--s5)' },
  defaultRadius: 'sm',
  cursorType: 'pointer',
})

// The tokens pick by color-scheme, so one set serves both.
export const variables: CSSVariablesResolver = () => ({
  variables: {
    '--mantine-color-body': 'var(--surface)',
    '--mantine-color-text': 'var(--text)',
    '--mantine-color-dimmed': 'var(--text2)',
    '--mantine-color-placeholder': 'var(--text3)',
    '--mantine-color-error': 'var(--failed)',
    '--mantine-color-anchor': 'var(--accent)',
    '--mantine-color-default': 'var(--surface)',
    '--mantine-color-default-hover': 'var(--hover)',
    '--mantine-color-default-border': 'var(--field)',
    '--mantine-color-default-color': 'var(--text)',
    '--mantine-primary-color-filled': 'var(--accent-solid)',
    '--mantine-primary-color-filled-hover': 'var(--accent-solid)',
    '--mantine-primary-color-light': 'var(--atint)',
    '--mantine-line-height': '20px',
  },
  light: {},
  dark: {},
})

export type Scheme = 'light' | 'dark' | 'auto'

const KEPT = 'segue.scheme'

export function chosenScheme(): Scheme {
  const kept = localStorage.getItem(KEPT)
  return kept === 'light' || kept === 'dark' ? kept : 'auto'
}

export function chooseScheme(scheme: Scheme): void {
  localStorage.setItem(KEPT, scheme)
  applyScheme(scheme)
}

export function applyScheme(scheme: Scheme): void {
  const root = document.documentElement
  if (scheme === 'auto') delete root.dataset.theme
  else root.dataset.theme = scheme
}

export function isDark(): boolean {
  const chosen = chosenScheme()
  return chosen === 'auto' ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark'
}
