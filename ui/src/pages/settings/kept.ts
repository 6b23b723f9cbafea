// Rules of retention as a sentence: Ended runs are kept 30 days, failed ones 365 days, runs of poll_feed 7 days.
import type { RetentionRule } from '../../api/schema'
import { words } from '../../words'

const w = words.namespaces
const PART = /(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d|w)/g

/** 30d as 30 days, 1d12h as 1 day 12 hours. */
function length(text: string): string {
  return text.replace(PART, (_, count: string, unit: keyof typeof w.units) => `${w.count(Number(count), w.units[unit])} `).trim()
}

/** The one for all runs first, then those that name less before those that name more. */
const naming = (rule: RetentionRule) => (rule.state ? 1 : 0) + (rule.workflow ? 2 : 0)

export function kept(rules: RetentionRule[]): string {
  if (rules.length === 0) return w.keptForEver
  const [first, ...others] = [...rules].sort((a, b) => naming(a) - naming(b)) as [RetentionRule, ...RetentionRule[]]
  const parts = [w.kept(w.runs(first.state, first.workflow), length(first.keep)), ...others.map((each) => `${w.ones(each.state, each.workflow)} ${length(each.keep)}`)]
  return [...parts, ...(naming(first) === 0 ? [] : [w.othersForEver])].join(', ')
}
