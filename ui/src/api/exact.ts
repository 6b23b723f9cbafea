// Whole numbers keep their digits: those beyond 2^53, which no number of the browser holds, are read and written as bigints.

declare global {
  interface JSON {
    rawJSON?: (text: string) => unknown
  }
  interface BigInt {
    toJSON: () => unknown
  }
}

/** Asked for by `JSON.stringify`. */
BigInt.prototype.toJSON = function (this: bigint) {
  return JSON.rawJSON ? JSON.rawJSON(String(this)) : Number(this)
}

/** Digits that may be too many; times (µs) are not. Few texts have them, and only those are read member by member. */
const LONG = /(?<![\d.])(?:9\d{15}|\d{17})/

/** A text of JSON as a value. */
export function parsed(text: string): unknown {
  return LONG.test(text) ? JSON.parse(text, exact) : JSON.parse(text)
}

function exact(_: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined ? numberOf(context.source) : value
}

/** A number as it is written; NaN for what is none. */
export function numberOf(text: string): number | bigint {
  const value = Number(text)
  return /^\s*-?\d+\s*$/.test(text) && !Number.isSafeInteger(value) ? BigInt(text) : value
}

export function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}
