import { describe, expect, it } from 'vitest'
import { Target } from '../src/state/target.svelte.ts'

describe('the dataset that uploads go to', () => {
  it.each([['main', 'main'], ['a_b-2', 'a_b-2'], ['My Cats', 'my-cats'], ['Коты', 'koty'], ['', ''], ['東京', '']])(
    'is, for “%s” in the field, “%s”',
    (text, slug) => {
      const target = new Target()
      target.text = text
      expect(target.slug).toBe(slug)
    },
  )

  it('follows the address, and leaves a name alone that means the same', () => {
    const target = new Target()
    target.text = 'My Cats'
    target.follow('my-cats')
    expect(target.text).toBe('My Cats')
    target.follow('dogs')
    expect(target.text).toBe('dogs')
  })
})
