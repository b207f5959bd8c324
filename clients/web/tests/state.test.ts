import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem } from '../src/api/problem.ts'
import type { Role } from '../src/api/types.ts'
import { slugFor } from '../src/state/datasets.svelte.ts'
import { Notices } from '../src/state/notices.svelte.ts'
import { Preferences, type Memory } from '../src/state/preferences.svelte.ts'
import { Session } from '../src/state/session.svelte.ts'
import { keyOf, Shortcuts } from '../src/state/shortcuts.svelte.ts'
import { Language } from '../src/words/language.svelte.ts'

describe('a session', () => {
  const session = async (mode: 'open' | 'keys', role: Role | null): Promise<Session> => {
    const made = new Session({ readSession: async () => ({ mode, role, limits: { trash_days: 30 } }), logIn: async () => {}, logOut: async () => {} })
    await made.start()
    return made
  }

  it.each<[Role, boolean, boolean]>([
    ['viewer', false, false], ['contributor', true, false], ['editor', true, true], ['admin', true, true],
  ])('of a %s offers what the role may', async (role, mayAdd, mayChange) => {
    const { mayAdd: adds, mayChange: changes, needsKey } = await session('keys', role)
    expect([adds, changes, needsKey]).toEqual([mayAdd, mayChange, false])
  })

  it('asks for a key only where one is needed', async () => {
    expect((await session('open', 'admin')).needsKey).toBe(false)
    const locked = await session('keys', null)
    expect([locked.needsKey, locked.isOpen, locked.mayAdd]).toEqual([true, false, false])
  })

  it('asks again when the key is no longer taken', async () => {
    const running = await session('keys', 'editor')
    running.note(new Problem({ code: 'busy' }))
    expect(running.needsKey).toBe(false)
    running.note(new Problem({ code: 'key_required' }))
    expect([running.needsKey, running.hasKey]).toEqual([true, false])
  })
})

describe('preferences', () => {
  const memory = (kept: Record<string, string> = {}): Memory & { kept: Record<string, string | null> } => ({
    kept,
    remembered: (name) => kept[name] ?? null,
    remember(name, value) {
      this.kept[name] = value
    },
  })

  it('begin with the language of the reader and the theme of the system', () => {
    const language = new Language()
    expect(new Preferences(language, memory(), ['ru']).theme).toBe('system')
    expect(language.locale).toBe('ru')
  })

  it('are what was chosen at the last visit', () => {
    const language = new Language()
    expect(new Preferences(language, memory({ language: 'en', theme: 'dark' }), ['ru']).theme).toBe('dark')
    expect(language.locale).toBe('en')
  })

  it('ignore what nobody can have chosen', () => {
    const language = new Language()
    expect(new Preferences(language, memory({ language: 'xx', theme: 'pink' }), ['en']).theme).toBe('system')
    expect(language.locale).toBe('en')
  })

  it('are remembered, and the theme of the system is no choice', () => {
    const kept = memory()
    const preferences = new Preferences(new Language(), kept, ['en'])
    preferences.chooseLocale('ru')
    preferences.chooseTheme('dark')
    expect(kept.kept).toEqual({ language: 'ru', theme: 'dark' })
    preferences.chooseTheme('system')
    expect(kept.kept.theme).toBeNull()
  })
})

describe('the key that was meant', () => {
  it.each([
    ['u', 'KeyU', 'u'], ['U', 'KeyU', 'u'], ['г', 'KeyU', 'u'], ['Ф', 'KeyA', 'a'], ['a', 'KeyQ', 'a'], ['?', 'Digit7', '?'], ['ж', 'Semicolon', 'ж'],
    ['Backspace', 'Backspace', 'Delete'], ['Delete', 'Delete', 'Delete'], ['Escape', 'Escape', 'Escape'],
  ])('by %s of %s is %s', (key, code, meant) => expect(keyOf({ key, code })).toBe(meant))
})

describe('shortcuts', () => {
  const press = (key: string, more: object = {}): KeyboardEvent & { isTaken: () => boolean } => {
    let taken = false
    return { key, target: null, preventDefault: () => (taken = true), isTaken: () => taken, ...more } as never
  }

  it('do what the last one added for a key says, until it is taken away', () => {
    const done: string[] = []
    const shortcuts = new Shortcuts()
    shortcuts.add([{ key: 'u', label: () => 'first', run: () => void done.push('first') }])
    const takeAway = shortcuts.add([{ key: 'u', label: () => 'second', run: () => void done.push('second') }])
    shortcuts.press(press('u'))
    takeAway()
    shortcuts.press(press('U'))
    expect(done).toEqual(['second', 'first'])
    expect(shortcuts.all.map(({ label }) => label())).toEqual(['first'])
  })

  it('are told by view, the uppermost first and those for everywhere last, each key where it works', () => {
    const shortcuts = new Shortcuts()
    const key = (name: string, label: string) => ({ key: name, label: () => label })
    shortcuts.add([key('?', 'Help')])
    shortcuts.add([key('Enter', 'Open'), key('i', 'Invert')], () => 'Photos')
    shortcuts.add([key('i', 'Details'), key('+', 'Enlarge'), key('=', 'Enlarge')], () => 'One photo')
    shortcuts.add([key('/', 'Search')])
    expect(shortcuts.groups).toEqual([
      { title: 'One photo', rows: [{ label: 'Details', keys: ['i'] }, { label: 'Enlarge', keys: ['+', '='] }] },
      { title: 'Photos', rows: [{ label: 'Open', keys: ['Enter'] }] },
      { title: null, rows: [{ label: 'Help', keys: ['?'] }, { label: 'Search', keys: ['/'] }] },
    ])
  })

  it('leave alone what is typed, what is held with Ctrl, and keys that only the list tells of', () => {
    const shortcuts = new Shortcuts()
    shortcuts.add([{ key: 'u', label: () => '', run: () => expect.fail() }, { key: 'Enter', label: () => '' }])
    const typed = press('u', { target: { closest: () => ({}) } })
    const held = press('u', { ctrlKey: true })
    const enter = press('Enter')
    for (const event of [typed, held, enter]) {
      shortcuts.press(event)
      expect(event.isTaken()).toBe(false)
    }
  })
})

describe('notices', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('go after ten seconds, but not while a person is at them', () => {
    const notices = new Notices()
    notices.show({ text: 'one' })
    vi.advanceTimersByTime(9_000)
    notices.hold()
    vi.advanceTimersByTime(60_000)
    expect(notices.current?.text).toBe('one')
    notices.resume()
    vi.advanceTimersByTime(10_000)
    expect(notices.current).toBeNull()
  })

  it('do what they offer once', async () => {
    let times = 0
    const notices = new Notices()
    notices.show({ text: 'gone', action: { label: 'Undo', run: () => void (times += 1) } })
    await notices.act()
    await notices.act()
    expect([times, notices.current]).toEqual([1, null])
  })
})

describe('a short name', () => {
  it.each([
    ['Winter 2026', 'winter-2026'], ['  Cats & dogs!', 'cats-dogs'], ['x'.repeat(80), 'x'.repeat(63)], [`${'x'.repeat(62)} y`, 'x'.repeat(62)],
    ['Отпуск 2026', 'otpusk-2026'], ['Съёмка: Щука, хвоя и йод — всё', 'syomka-shchuka-khvoya-i-yod-vsyo'],
    ['Юность, цирк, эхо, жизнь, Чаща, мышь', 'yunost-tsirk-ekho-zhizn-chashcha-mysh'], ['и\u0306од', 'yod'], ['東京', ''],
  ])('of %s is %s', (name, slug) => expect(slugFor(name)).toBe(slug))
})
