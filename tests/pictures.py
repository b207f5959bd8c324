"""Sample photos for all tests and benches, as bytes: deterministic, quick, different for every seed.

Ordinary photos are encoded by Pillow and pillow_heif; bombs, chains and padded photos are laid out by hand, byte for
byte, because no encoder would write them. Nothing here imports Albumen.
"""

from __future__ import annotations

import random
import struct
import zlib
from functools import cache
from io import BytesIO

import pillow_heif
from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)

_STORED_FROM_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
_SEGMENT_MAX = 65_537  # marker, length and payload of the longest JPEG segment
_SEGMENT_MIN = 4


def picture(width=64, height=48, *, seed=0, mode="RGB"):
    """Return a Pillow image of soft colour patches; modes 1, L, LA, P, RGB, RGBA, CMYK and I;16."""
    patches = Image.frombytes("RGB", (8, 8), _noise(seed).randbytes(192))
    rgb = patches.resize((width, height), Image.Resampling.BICUBIC)
    if mode == "RGB":
        return rgb
    if mode == "P":
        return rgb.quantize(16)
    if mode in {"LA", "RGBA"}:
        rgb.putalpha(Image.linear_gradient("L").resize((width, height)))
        return rgb.convert(mode)
    if mode == "I;16":
        return _sixteen_bits(rgb.convert("L"))
    return rgb.convert(mode)


def exif_orientation(orientation, *, byte_order="<"):
    """Return an EXIF block (without the `Exif` prefix) whose only entry is the orientation."""
    mark = b"II" if byte_order == "<" else b"MM"
    entry = struct.pack(byte_order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(byte_order + "HIH", 42, 8, 1) + entry + bytes(4)


def jpeg(  # noqa: PLR0913 - every option is a property of the photo that some test asks for
    width=64,
    height=48,
    *,
    seed=0,
    orientation=None,
    mode="RGB",
    quality=85,
    exif=None,
    icc=None,
    progressive=False,
):
    """Return a JPEG; modes L, RGB and CMYK. `exif` is Pillow's Exif or a raw block without the `Exif` prefix."""
    options = _metadata(orientation, exif, icc)
    return _save(
        picture(width, height, seed=seed, mode=mode), "JPEG", quality=quality, progressive=progressive, **options
    )


def png(width=64, height=48, *, seed=0, orientation=None, mode="RGB", exif=None, icc=None, frames=1):
    """Return a PNG; modes 1, L, LA, P, RGB, RGBA and I;16. More than one frame makes an animated PNG."""
    pictures = [picture(width, height, seed=seed + 1000 * number, mode=mode) for number in range(frames)]
    return _save_frames(pictures, "PNG", **_metadata(orientation, exif, icc))


def webp(  # noqa: PLR0913 - likewise
    width=64, height=48, *, seed=0, orientation=None, mode="RGB", lossless=False, exif=None, icc=None, frames=1
):
    """Return a WebP; modes RGB and RGBA. More than one frame makes an animation."""
    pictures = [picture(width, height, seed=seed + 1000 * number, mode=mode) for number in range(frames)]
    options = _metadata(orientation, exif, icc)
    return _save_frames(pictures, "WEBP", lossless=lossless, method=0, **options)


def gif(width=64, height=48, *, seed=0, frames=1):
    """Return a GIF of palette frames."""
    pictures = [picture(width, height, seed=seed + 1000 * number, mode="P") for number in range(frames)]
    return _save_frames(pictures, "GIF")


def tiff(width=64, height=48, *, seed=0, orientation=None, mode="RGB", pages=1, compression=None):
    """Return a little-endian TIFF. `compression` is a name of Pillow's, such as `tiff_lzw`, `jpeg` or `group4`."""
    pictures = [picture(width, height, seed=seed + 1000 * number, mode=mode) for number in range(pages)]
    tags = {} if orientation is None else {"tiffinfo": {0x0112: orientation}}
    return _save_frames(pictures, "TIFF", compression=compression, **tags)


def bmp(width=64, height=48, *, seed=0, mode="RGB"):
    """Return a BMP; modes 1, L, P, RGB and RGBA."""
    return _save(picture(width, height, seed=seed, mode=mode), "BMP")


def avif(width=64, height=48, *, seed=0, orientation=None, mode="RGB", frames=1):
    """Return an AVIF; its orientation becomes the boxes `irot` and `imir`. More than one frame makes a sequence."""
    pictures = [picture(width, height, seed=seed + 1000 * number, mode=mode) for number in range(frames)]
    return _save_frames(pictures, "AVIF", speed=10, **_metadata(orientation, None, None))


def heic(width=64, height=48, *, seed=0, orientation=None, mode="RGB", exif=None):
    """Return a HEIC as phones make it (HEVC); its orientation becomes the boxes `irot` and `imir`."""
    image = picture(width, height, seed=seed, mode=mode)
    options = {key: value for key, value in _metadata(orientation, exif, None).items() if key == "exif"}
    target = BytesIO()
    pillow_heif.from_pillow(image).save(target, quality=60, enc_params={"preset": "ultrafast"}, **options)
    return target.getvalue()


def upright_quarters(width=96, height=64):
    """Return the picture of red, green (top), blue and white (bottom) quarters as a Pillow image."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def oriented(orientation, width=96, height=64):
    """Return a JPEG that shows `upright_quarters` once its EXIF orientation (1 to 8) is applied."""
    upright = upright_quarters(width, height)
    stored = upright if orientation == 1 else upright.transpose(_STORED_FROM_UPRIGHT[orientation])
    return _save(stored, "JPEG", quality=92, subsampling=0, **_metadata(orientation, None, None))


def noisy_jpeg(width=4000, height=3000, *, seed=0, quality=85):
    """Return a large photo with detail and grain; 4000 by 3000 at quality 85 has about 2 MB and takes half a second."""
    source = _noise(seed)
    scene = Image.frombytes("RGB", (24, 18), source.randbytes(1296)).resize((width, height), Image.Resampling.BICUBIC)
    detail_size = (max(width // 4, 1), max(height // 4, 1))
    detail = Image.frombytes("L", detail_size, source.randbytes(detail_size[0] * detail_size[1]))
    detail = detail.resize((width, height), Image.Resampling.BILINEAR).convert("RGB")
    return _save(Image.blend(scene, detail, 0.22), "JPEG", quality=quality)


def undecodable_jpeg():
    """Return a JPEG whose header and end are right, without the tables that its pixels need."""
    whole = jpeg()
    tables, frame = whole.index(b"\xff\xdb"), whole.index(b"\xff\xc0")
    codes, scan = whole.index(b"\xff\xc4"), whole.index(b"\xff\xda")
    return whole[:tables] + whole[frame:codes] + whole[scan:]


def of_size(bytes_wanted, seed=0):
    """Return a valid JPEG of exactly that many bytes, padded by incompressible comments in front of its tables."""
    photo = _small_jpeg(seed % 16)
    missing = bytes_wanted - len(photo)
    if missing and missing < _SEGMENT_MIN:
        msg = f"the smallest JPEGs of this kind have {len(photo)} bytes, or {len(photo) + _SEGMENT_MIN} and more"
        raise ValueError(msg)
    return photo[:2] + _comments(missing, _noise(seed)) + photo[2:]


def png_chunk(kind, body=b""):
    """Return one PNG chunk with its length and its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(width=60_000, height=60_000):
    """Return a PNG of about a hundred bytes whose header truthfully announces a huge grey picture."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    data = png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    return PNG_SIGNATURE + header + data + png_chunk(b"IEND")


def gif_bomb(frames=10_000, width=1, height=1):
    """Return a GIF of many one-pixel frames (15 bytes each) on a canvas of the given size."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return screen + frame * frames + b";"


def tiff_chain(depth, *, cyclic=False, byte_order="<", big=False, size=(1, 1)):
    """Return a TIFF (BigTIFF if `big`) of `depth` grey pages; a cyclic chain leads from the last page to the first."""
    header = _tiff_header(byte_order, big=big)
    width, height = size
    strip = bytes(min(width * height, 4096))
    stride = len(_tiff_page(byte_order, size, len(header), len(strip), 0, big=big))
    first = len(header) + len(strip)
    pages = []
    for number in range(depth):
        following = first + (number + 1) * stride if number + 1 < depth else first * cyclic
        pages.append(_tiff_page(byte_order, size, len(header), len(strip), following, big=big))
    start = struct.pack(byte_order + ("Q" if big else "I"), first)
    return header[: -len(start)] + start + strip + b"".join(pages)


def tiff_of(entries, behind=b""):
    """Return a little-endian TIFF of one page; an entry is tag, type, count and value or offset."""
    header = b"II*\x00" + struct.pack("<IH", 8, len(entries))
    return header + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4) + behind


def behind_tiff(entries):
    """Return the offset of the first byte behind a page of so many entries."""
    return 8 + 2 + 12 * entries + 4


def heic_grid(tiles, *, pieces=1, piece_bytes=4):
    """Return a HEIC without pixels: a grid of tiles, each in so many pieces that take so many bytes in `iloc`."""
    ids = range(1, tiles + 2)  # the grid comes last, as phones write it
    kinds = [
        _full_box(b"infe", struct.pack(">HH4sx", item, 0, b"hvc1" if item < ids[-1] else b"grid"), 2) for item in ids
    ]
    extents = struct.pack(">H", pieces) + bytes(piece_bytes * pieces)
    places = b"".join(struct.pack(">HH", item, 0) + extents for item in ids)
    sizes = b"".join(struct.pack(">HBB", item, 1, 1) for item in ids)
    properties = _box(b"ipco", _full_box(b"ispe", struct.pack(">II", 64, 48)))
    properties += _full_box(b"ipma", struct.pack(">I", len(ids)) + sizes)
    parts = _full_box(b"pitm", struct.pack(">H", ids[-1]))
    parts += _full_box(b"iinf", struct.pack(">H", len(ids)) + b"".join(kinds))
    parts += _box(b"iprp", properties)
    parts += _full_box(b"iloc", struct.pack(">BBH", piece_bytes << 4, 0, len(ids)) + places)
    return _box(b"ftyp", b"heic\0\0\0\0heicmif1") + _full_box(b"meta", parts)


def truncate(data, fraction):
    """Return the first `fraction` (0 to 1) of the bytes."""
    return data[: int(len(data) * fraction)]


def _noise(seed):
    return random.Random(seed)  # noqa: S311 - photos of one seed have to be the same photo


def _sixteen_bits(grey):
    low = grey.tobytes()
    wide = bytearray(2 * len(low))
    wide[0::2] = wide[1::2] = low
    return Image.frombytes("I;16", grey.size, bytes(wide))


def _metadata(orientation, exif, icc):
    if orientation is not None:
        exif = exif_orientation(orientation)
    if isinstance(exif, bytes):
        exif = b"Exif\x00\x00" + exif
    named = {"exif": exif, "icc_profile": icc}
    return {key: value for key, value in named.items() if value is not None}


def _save(image, kind, **options):
    target = BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def _save_frames(pictures, kind, **options):
    if len(pictures) == 1:
        return _save(pictures[0], kind, **options)
    return _save(pictures[0], kind, save_all=True, append_images=pictures[1:], **options)


@cache
def _small_jpeg(seed):
    return jpeg(seed=seed)


def _comments(length, source):
    segments = []
    while length:
        part = min(length, _SEGMENT_MAX)
        if 0 < length - part < _SEGMENT_MIN:
            part -= _SEGMENT_MIN
        segments.append(b"\xff\xfe" + struct.pack(">H", part - 2) + source.randbytes(part - 4))
        length -= part
    return b"".join(segments)


def _box(kind, body):
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full_box(kind, body, version=0):
    return _box(kind, bytes([version, 0, 0, 0]) + body)


def _tiff_header(byte_order, *, big):
    mark = b"II" if byte_order == "<" else b"MM"
    if big:
        return mark + struct.pack(byte_order + "HHHQ", 43, 8, 0, 0)
    return mark + struct.pack(byte_order + "HI", 42, 0)


def _tiff_page(byte_order, size, strip_at, strip_length, following, *, big):
    values = [(256, size[0]), (257, size[1]), (258, 8), (259, 1), (262, 1), (273, strip_at), (277, 1)]
    values += [(278, size[1]), (279, strip_length)]
    count, entry, pointer = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")
    kind = 16 if big else 4
    entries = [struct.pack(byte_order + entry, tag, kind, 1, value) for tag, value in values]
    number = struct.pack(byte_order + count, len(values))
    return number + b"".join(entries) + struct.pack(byte_order + pointer, following)
