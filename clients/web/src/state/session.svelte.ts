import type { Client } from '../api/client.ts'
import type { Problem } from '../api/problem.ts'
import type { Role, SessionState } from '../api/types.ts'

const RANKS: Record<Role, number> = { viewer: 0, contributor: 1, editor: 2, admin: 3 }

/** Who is looking, and what they may do. Nothing else is asked of the server before it is known. */
export class Session {
  #state: Omit<SessionState, 'limits'> | null = $state.raw(null)
  /** Days in the trash after which a photo may be deleted for good. */
  trashDays = $state(0)
  readonly #api: Pick<Client, 'readSession' | 'logIn' | 'logOut'>

  constructor(api: Pick<Client, 'readSession' | 'logIn' | 'logOut'>) {
    this.#api = api
  }

  /** Whether the server has told who is looking. */
  get isKnown(): boolean {
    return this.#state !== null
  }

  get needsKey(): boolean {
    return this.#state !== null && this.#state.role === null
  }

  /** Whether photos may be looked at now. */
  get isOpen(): boolean {
    return this.isKnown && !this.needsKey
  }

  get hasKey(): boolean {
    return this.#state?.mode === 'keys' && this.#state.role !== null
  }

  get mayAdd(): boolean {
    return this.#reaches('contributor')
  }

  get mayChange(): boolean {
    return this.#reaches('editor')
  }

  async start(): Promise<void> {
    const { limits, ...state } = await this.#api.readSession()
    this.trashDays = limits.trash_days
    this.#state = state
  }

  /** Logs in with a key. Throws a Problem when it is not valid. */
  async enter(key: string): Promise<void> {
    await this.#api.logIn(key)
    await this.start()
  }

  async leave(): Promise<void> {
    await this.#api.logOut()
    await this.start()
  }

  /** Asks for a key again when the server no longer takes the one it had. */
  note(problem: Problem): void {
    if (problem.code === 'key_required') this.#state = { mode: 'keys', role: null }
  }

  #reaches(needed: Role): boolean {
    const role = this.#state?.role ?? null
    return role !== null && RANKS[role] >= RANKS[needed]
  }
}
