// ThumbHash, after https://evanw.github.io/thumbhash/: some 25 bytes that stand for a picture until it has come.

const LONG_SIDE = 24
const BMP_HEADER = 54
const MOST_KEPT = 1000

interface Channel {
  across: number
  down: number
  waves: readonly number[]
}

const made = new Map<string, string>()

/** The address of a small picture for a hash in base64. Null for what is no hash. */
export function pictureOf(hash: string): string | null {
  const known = made.get(hash)
  if (known !== undefined) return known
  const bytes = bytesOf(hash)
  if (!bytes) return null
  const oldest = made.keys().next().value
  if (made.size >= MOST_KEPT && oldest !== undefined) made.delete(oldest)
  const address = `data:image/bmp;base64,${btoa(String.fromCharCode(...bitmapOf(bytes)))}`
  made.set(hash, address)
  return address
}

function bytesOf(hash: string): Uint8Array | null {
  try {
    const bytes = Uint8Array.from(atob(hash), (letter) => letter.charCodeAt(0))
    return bytes.length < 5 ? null : bytes
  } catch {
    return null
  }
}

/** A BMP of 24 bits, without transparency: what was transparent shows the mean colour. */
export function bitmapOf(hash: Uint8Array): Uint8Array {
  const { width, height, luminance, yellow, red } = decoded(hash)
  const stride = Math.ceil((width * 3) / 4) * 4
  const bytes = new Uint8Array(BMP_HEADER + stride * height)
  writeHeader(new DataView(bytes.buffer), width, height)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * width + x
      const blue = (luminance[at] ?? 0) - (2 / 3) * (yellow[at] ?? 0)
      const reddish = (3 * (luminance[at] ?? 0) - blue + (red[at] ?? 0)) / 2
      const place = BMP_HEADER + (height - 1 - y) * stride + x * 3
      bytes.set([byte(blue), byte(reddish - (red[at] ?? 0)), byte(reddish)], place)
    }
  }
  return bytes
}

const byte = (value: number): number => Math.max(0, Math.min(255, Math.round(value * 255)))

function writeHeader(view: DataView, width: number, height: number): void {
  view.setUint16(0, 0x424d) // BM
  view.setUint32(2, view.byteLength, true)
  view.setUint32(10, BMP_HEADER, true)
  view.setUint32(14, 40, true)
  view.setInt32(18, width, true)
  view.setInt32(22, height, true)
  view.setUint16(26, 1, true)
  view.setUint16(28, 24, true)
}

/** The planes of a hash: luminance, yellow to blue, red to green. Each is a mean and some cosine waves of 4 bits. */
function decoded(hash: Uint8Array) {
  const at = (index: number): number => hash[index] ?? 0
  const head = at(0) | (at(1) << 8) | (at(2) << 16)
  const tail = at(3) | (at(4) << 8)
  const hasAlpha = head >> 23 === 1
  const isLandscape = tail >> 15 === 1
  const most = hasAlpha ? 5 : 7
  const across = isLandscape ? most : tail & 7
  const down = isLandscape ? tail & 7 : most
  const [width, height] = sizeOf(across / down)
  const channel = reader(hash, hasAlpha ? 6 : 5)
  const luminance = channel(Math.max(3, across), Math.max(3, down), ((head >> 18) & 31) / 31)
  const yellow = channel(3, 3, (((tail >> 3) & 63) / 63) * 1.25)
  const red = channel(3, 3, (((tail >> 9) & 63) / 63) * 1.25)
  return {
    width,
    height,
    luminance: plane((head & 63) / 63, luminance, width, height),
    yellow: plane(((head >> 6) & 63) / 31.5 - 1, yellow, width, height),
    red: plane(((head >> 12) & 63) / 31.5 - 1, red, width, height),
  }
}

function sizeOf(ratio: number): [number, number] {
  const size = ratio > 1 ? [LONG_SIDE, LONG_SIDE / ratio] : [LONG_SIDE * ratio, LONG_SIDE]
  return size.map((side) => Math.max(1, Math.round(side))) as [number, number]
}

/** Reads channels one after another; the waves fill the upper left triangle of a table, without its corner. */
function reader(hash: Uint8Array, start: number) {
  let nibble = 0
  return (across: number, down: number, scale: number): Channel => {
    const waves = new Array<number>(across * down).fill(0)
    for (let y = 0; y < down; y += 1) {
      for (let x = y === 0 ? 1 : 0; x * down < across * (down - y); x += 1) {
        const bits = ((hash[start + (nibble >> 1)] ?? 0) >> ((nibble & 1) << 2)) & 15
        waves[y * across + x] = (bits / 7.5 - 1) * scale
        nibble += 1
      }
    }
    return { across, down, waves }
  }
}

/** The values of a channel at every point: first each row of waves summed along x, then those along y. */
function plane(mean: number, { across, down, waves }: Channel, width: number, height: number): Float32Array {
  const alongX = cosines(across, width)
  const alongY = cosines(down, height)
  const points = new Float32Array(width * height).fill(mean)
  for (let wave = 0; wave < down; wave += 1) {
    for (let x = 0; x < width; x += 1) {
      let sum = 0
      for (let k = 0; k < across; k += 1) sum += (waves[wave * across + k] ?? 0) * (alongX[k * width + x] ?? 0)
      for (let y = 0; y < height; y += 1) points[y * width + x] = (points[y * width + x] ?? 0) + 2 * sum * (alongY[wave * height + y] ?? 0)
    }
  }
  return points
}

/** Wave `k` at point `x` stands at `k * length + x`. */
function cosines(count: number, length: number): Float32Array {
  const values = new Float32Array(count * length)
  return values.map((_, at) => Math.cos((Math.PI / length) * ((at % length) + 0.5) * Math.floor(at / length)))
}
