// What is kept in the browser for the next time, as far as it has room.

export function keep(key: string, text: string): void {
  try {
    localStorage.setItem(key, text)
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'QuotaExceededError')) throw error
    localStorage.removeItem(key) // what was kept before is no longer the last
  }
}
