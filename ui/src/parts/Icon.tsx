// The icons: one set, 16 px, stroke 1.5; states in the shapes that the design gives them.

const DRAWINGS = {
  running: `<circle cx="8" cy="8" r="5.75" opacity=".28"/><path d="M8 2.25A5.75 5.75 0 0 1 13.75 8"/>`,
  waiting: `<circle cx="8" cy="8" r="5.75"/><path d="M8 4.9V8l2.1 1.5"/>`,
  retrying: `<path d="M13.4 6.3A5.7 5.7 0 1 0 13.7 9"/><path d="M13.7 2.9v3.5h-3.5"/>`,
  paused: `<circle cx="8" cy="8" r="5.75"/><path d="M6.6 6v4M9.4 6v4"/>`,
  incident: `<path fill="currentColor" stroke="none" d="M8.9 2.1a1.05 1.05 0 0 0-1.8 0L1.5 12a1.05 1.05 0 0 0 .9 1.6h11.2a1.05 1.05 0 0 0 .9-1.6z"/><path d="M8 6v3.2M8 11.4v.1" stroke="var(--cut, var(--surface))" stroke-width="1.6"/>`,
  completed: `<circle fill="currentColor" stroke="none" cx="8" cy="8" r="6.25"/><path d="M5.4 8.2l1.8 1.8 3.4-3.8" stroke="var(--cut, var(--surface))" stroke-width="1.6"/>`,
  failed: `<circle fill="currentColor" stroke="none" cx="8" cy="8" r="6.25"/><path d="M5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2" stroke="var(--cut, var(--surface))" stroke-width="1.6"/>`,
  overview: `<rect x="2.5" y="2.5" width="4.6" height="6.2" rx="1"/><rect x="8.9" y="2.5" width="4.6" height="3.4" rx="1"/><rect x="2.5" y="10.6" width="4.6" height="2.9" rx="1"/><rect x="8.9" y="7.8" width="4.6" height="5.7" rx="1"/>`,
  runs: `<path d="M2.5 4h7M5 8h8.5M3.5 12h6"/>`,
  flow: `<rect x="2" y="2.5" width="4.4" height="4.4" rx="1"/><rect x="9.6" y="9.1" width="4.4" height="4.4" rx="1"/><path d="M4.2 6.9v2.6a1.8 1.8 0 0 0 1.8 1.8h3.6"/>`,
  cal: `<rect x="2.5" y="3.5" width="11" height="10" rx="1.5"/><path d="M2.5 6.8h11M5.5 2v2.6M10.5 2v2.6"/>`,
  inbox: `<path d="M2.5 9.5h3l1 1.7h3l1-1.7h3"/><path d="M4 3h8l1.5 6.5v2.8a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1V9.500z"/>`,
  worker: `<rect x="2.5" y="2.8" width="11" height="4.2" rx="1"/><rect x="2.5" y="9" width="11" height="4.2" rx="1"/><path d="M5 4.900h.1M5 11.100h.1"/>`,
  gear: `<circle cx="8" cy="8" r="2.1"/><path d="M8 1.900v2M8 12.100v2M1.9 8h2M12.1 8h2M3.7 3.700l1.4 1.400M10.9 10.900l1.4 1.400M3.7 12.300l1.4-1.400M10.9 5.100l1.4-1.4"/>`,
  search: `<circle cx="7" cy="7" r="4.2"/><path d="M10.2 10.200l3.3 3.3"/>`,
  down: `<path d="M4.5 6.500L8 10l3.5-3.5"/>`,
  user: `<circle cx="8" cy="5.5" r="2.6"/><path d="M3 13.500c.5-2.6 2.5-4 5-4s4.5 1.4 5 4"/>`,
  play: `<path fill="currentColor" stroke="none" d="M5 3.200v9.600a.6.6 0 0 0 .9.500l7.5-4.800a.6.6 0 0 0 0-1L5.9 2.700a.6.6 0 0 0-.9.500z"/>`,
  pending: `<circle cx="8" cy="8" r="5.75" stroke-dasharray="2.2 2.3"/>`,
  compensating: `<path d="M5.6 3L2.6 6l3 3"/><path d="M2.8 6h6.4a3.6 3.6 0 0 1 0 7.2H6.5"/>`,
  cancelled: `<circle cx="8" cy="8" r="5.75"/><path d="M4 12L12 4"/>`,
  skipped: `<path d="M3.5 4.5L7 8l-3.5 3.5M8.5 4.5L12 8l-3.5 3.5"/>`,
  x: `<path d="M4.5 4.500l7 7M11.5 4.500l-7 7"/>`,
  plus: `<path d="M8 3.500v9M3.5 8h9"/>`,
  filter: `<path d="M2.5 4h11M4.5 8h7M6.5 12h3"/>`,
  compensated: `<circle fill="currentColor" stroke="none" cx="8" cy="8" r="6.25"/><path d="M6.9 4.9L5 6.8l1.9 1.9M5.2 6.8h3.6a1.9 1.9 0 0 1 0 3.8H7.3" stroke="var(--cut, var(--surface))" stroke-width="1.4"/>`,
  dots: `<g fill="currentColor" stroke="none"><circle cx="3.5" cy="8" r="1.2"/><circle cx="8" cy="8" r="1.2"/><circle cx="12.5" cy="8" r="1.2"/></g>`,
  copy: `<rect x="5.5" y="5.5" width="8" height="8" rx="1.2"/><path d="M10.5 5.500v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2"/>`,
  minus: `<path d="M3.5 8h9"/>`,
  fit: `<path d="M2.5 6v-3.500H6M10 2.500h3.500V6M13.5 10v3.500H10M6 13.500H2.500V10"/>`,
  continued: `<path d="M3 3v3.500a3 3 0 0 0 3 3h6.500M9.500 6.500l3 3-3 3"/>`,
  terminated: `<circle cx="8" cy="8" r="5.75"/><rect x="6" y="6" width="4" height="4" fill="currentColor" stroke="none"/>`,
  sun: `<circle cx="8" cy="8" r="2.8"/><path d="M8 1.6v1.6M8 12.8v1.6M1.6 8h1.600M12.8 8h1.600M3.5 3.500l1.100 1.100M11.4 11.400l1.100 1.100M3.5 12.500l1.100-1.100M11.4 4.600l1.100-1.100"/>`,
  moon: `<path d="M13.2 9.600A5.600 5.600 0 0 1 6.400 2.800a5.600 5.600 0 1 0 6.800 6.800z"/>`,
  right: `<path d="M6.5 4.500L10 8l-3.500 3.500"/>`,
  check: `<path d="M3.500 8.500l3 3 6-7"/>`,
  keyboard: `<rect x="1.800" y="4" width="12.400" height="8" rx="1.500"/><path d="M4.500 6.800h.1M7 6.800h.1M9.500 6.800h.1M12 6.800h.1M5.500 9.500h5"/>`,
  signal: `<path d="M3 13V10M6.500 13V7.500M10 13V5M13.500 13V2.500"/>`,
  step: `<rect x="2.500" y="4.500" width="11" height="7" rx="1.500"/>`,
  branch: `<path d="M8 2.300L13.700 8 8 13.700 2.300 8z"/>`,
  lanes: `<path d="M8 2.200v3.300M3.500 13.500V8a2.500 2.500 0 0 1 2.500-2.500h4A2.500 2.500 0 0 1 12.500 8v5.500"/>`,
  unknown: `<circle cx="8" cy="8" r="5.75" stroke-dasharray="2.2 2.3"/><path d="M6.400 6.600a1.600 1.600 0 1 1 2.300 1.500c-.5.300-.7.600-.7 1.100M8 11.200v.1"/>`,
} as const

export type IconName = keyof typeof DRAWINGS

export function Icon({ name, small, className = '' }: { name: IconName; small?: boolean; className?: string }) {
  return (
    <svg
      className={`i ${small ? 's' : ''} ${name === 'running' ? 'spin' : ''} ${className}`}
      viewBox="0 0 16 16"
      aria-hidden="true"
      // Constant drawings of this file; nothing that a user wrote comes here.
      dangerouslySetInnerHTML={{ __html: DRAWINGS[name] }}
    />
  )
}
