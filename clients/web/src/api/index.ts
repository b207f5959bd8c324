// The one client of this page. Tests make clients of their own from client.ts.

import { root } from '../platform/root.ts'
import { sleep } from '../platform/sleep.ts'
import { Client } from './client.ts'
import type { Problem } from './problem.ts'

const listeners = new Set<(problem: Problem) => void>()

/** Calls back for every problem of any call, as `key_required` concerns the whole page. */
export function onProblem(listener: (problem: Problem) => void): void {
  listeners.add(listener)
}

const answerListeners = new Set<() => void>()

/** Calls back for every answer of the server, as it shows that the connection is there. */
export function onAnswer(listener: () => void): void {
  answerListeners.add(listener)
}

export const api = new Client({
  root,
  fetch: (input, init) => fetch(input, init),
  sleep,
  onProblem: (problem) => listeners.forEach((listener) => listener(problem)),
  onAnswer: () => answerListeners.forEach((listener) => listener()),
})
