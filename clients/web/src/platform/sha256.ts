// SHA-256 (FIPS 180-4) over chunks. Browsers offer theirs on secure origins only, and over whole buffers only.

const PRIMES = primes(64)
/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const ROUND = new Int32Array(PRIMES.map((prime) => fraction(Math.cbrt(prime))))
/** Likewise of the square roots of the first eight. */
const START = new Int32Array(PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime))))
const BLOCK = 64
const LENGTH_BYTES = 8

export class Sha256 {
  readonly #state = new Int32Array(START)
  readonly #schedule = new Int32Array(BLOCK)
  readonly #rest = new Uint8Array(BLOCK)
  #held = 0
  #length = 0

  update(bytes: Uint8Array): this {
    this.#length += bytes.length
    const fill = Math.min(bytes.length, this.#held === 0 ? 0 : BLOCK - this.#held)
    this.#rest.set(bytes.subarray(0, fill), this.#held)
    this.#held += fill
    if (this.#held === BLOCK) this.#held = this.#block(this.#rest, 0)
    let at = fill
    for (; at + BLOCK <= bytes.length; at += BLOCK) this.#block(bytes, at)
    if (at < bytes.length) {
      this.#rest.set(bytes.subarray(at))
      this.#held = bytes.length - at
    }
    return this
  }

  /** The digest in lower-case hex. Nothing can be added after it. */
  hex(): string {
    const bits = BigInt(this.#length) * 8n
    const padding = new Uint8Array(((this.#held < BLOCK - LENGTH_BYTES ? BLOCK : 2 * BLOCK) - this.#held))
    padding[0] = 0x80
    new DataView(padding.buffer).setBigUint64(padding.length - LENGTH_BYTES, bits)
    this.update(padding)
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  }

  /** Mixes in one block; returns 0, the number of bytes that are held after it. */
  #block(bytes: Uint8Array, at: number): 0 {
    const w = this.#schedule
    for (let i = 0, p = at; i < 16; i += 1, p += 4) {
      w[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!
    }
    for (let i = 16; i < 64; i += 1) {
      const [early, late] = [w[i - 15]!, w[i - 2]!]
      const s0 = turn(early, 7) ^ turn(early, 18) ^ (early >>> 3)
      const s1 = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10)
      w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0
    }
    this.#mix(w)
    return 0
  }

  #mix(w: Int32Array): void {
    const state = this.#state
    let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!
    let e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!
    for (let i = 0; i < 64; i += 1) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i]! + w[i]!) | 0
      const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
      h = g
      g = f
      f = e
      e = (d + t1) | 0
      d = c
      c = b
      b = a
      a = (t1 + t2) | 0
    }
    state[0]! += a
    state[1]! += b
    state[2]! += c
    state[3]! += d
    state[4]! += e
    state[5]! += f
    state[6]! += g
    state[7]! += h
  }
}

const turn = (word: number, by: number): number => (word >>> by) | (word << (32 - by))

function fraction(value: number): number {
  return Math.floor((value - Math.floor(value)) * 2 ** 32) | 0
}

function primes(count: number): number[] {
  const found: number[] = []
  for (let n = 2; found.length < count; n += 1) if (found.every((prime) => n % prime !== 0)) found.push(n)
  return found
}
