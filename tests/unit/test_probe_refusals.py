"""Everything that is no whole photo within the limits is refused, with the right reason and in bounded time."""

import struct
import tracemalloc
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pictures
from albumen.errors import EmptyPhoto, NotAPhoto, PhotoRejected, TooManyFrames, TooManyPixels, TruncatedPhoto
from albumen.imaging.limits import Limits
from albumen.imaging.probe import HEAD_BYTES, inspect, sniff

LIMITS = Limits()
SAMPLES = {
    "jpeg": pictures.jpeg(),
    "jpeg progressive": pictures.jpeg(progressive=True, orientation=6),
    "jpeg with thumbnail": pictures.jpeg(exif=pictures.exif_orientation(6) + pictures.jpeg(16, 12)),
    "png": pictures.png(24, 16, orientation=6),
    "png animated": pictures.png(24, 16, frames=2),
    "webp": pictures.webp(),
    "webp extended": pictures.webp(24, 16, mode="RGBA", orientation=6),
    "webp animated": pictures.webp(24, 16, frames=3),
    "gif": pictures.gif(24, 16, frames=3),
    "tiff": pictures.tiff(24, 16, orientation=6),
    "tiff big": pictures.tiff_chain(3, big=True, byte_order=">"),
    "bmp": pictures.bmp(24, 16),
    "bmp 1 bit": pictures.bmp(32, 16, mode="1"),
    "avif": pictures.avif(orientation=6),
    "avif sequence": pictures.avif(frames=2),
    "heic": pictures.heic(orientation=6),
}
STRANGERS = [
    (b"%PDF-1.7\n", "PDF"),
    (b"%!PS-Adobe-3.0", "PostScript"),
    (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg width="1"/>', "SVG"),
    (b"<!DOCTYPE html><p>", "HTML"),
    (b'<?xml version="1.0"?><gpx/>', "XML"),
    (b"notes\n", "text"),
    ("BMW и я".encode(), "text"),
    ("\u0444\u043e\u0442\u043e".encode("utf-16"), "text"),
    (b"PK\x03\x04" + bytes(40), "ZIP"),
    (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42" + bytes(40), "a video"),
    (b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  " + bytes(40), "a video"),
    (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom" + bytes(40), "CR3"),
    (b"RIFF\x00\x00\x00\x00AVI LIST", "a video"),
    (b"RIFF\x00\x00\x00\x00WAVEfmt ", "sound"),
    (b"8BPS\x00\x01" + bytes(20), "Photoshop"),
    (b"\x00\x00\x01\x00\x01\x00" + bytes(20), "ICO"),
    (b"\xff\x0a\xfa\x7f", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n" + bytes(20), "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(20), "JPEG 2000"),
    (b"\x76\x2f\x31\x01" + bytes(20), "OpenEXR"),
    (b"II\x2a\x00\x10\x00\x00\x00CR\x02\x00" + bytes(20), "CR2"),
    (b"FUJIFILMCCD-RAW 0201", "RAF"),
    (b"IIU\x00\x08\x00\x00\x00", "RW2"),
    (b"\x80\x81\x00\x01", "no known kind"),
]


def probe(data, limits=LIMITS):
    return inspect(BytesIO(data), len(data), limits)


@pytest.mark.parametrize(("data", "name"), STRANGERS)
def test_other_kinds_of_files_are_refused_by_name(data, name):
    with pytest.raises(NotAPhoto, match=name):
        sniff(data)
    with pytest.raises(NotAPhoto):
        probe(data)


def test_a_file_without_bytes_is_empty():
    with pytest.raises(EmptyPhoto):
        sniff(b"")
    with pytest.raises(EmptyPhoto):
        probe(b"")


@pytest.mark.parametrize("name", SAMPLES)
def test_no_beginning_of_a_photo_is_taken_for_a_photo(name):
    photo = SAMPLES[name]
    for length in range(len(photo)):
        with pytest.raises((EmptyPhoto, NotAPhoto, TruncatedPhoto)):
            probe(photo[:length])


@pytest.mark.parametrize("name", SAMPLES)
def test_a_photo_cut_in_half_is_truncated(name):
    with pytest.raises(TruncatedPhoto, match="ends after"):
        probe(pictures.truncate(SAMPLES[name], 0.5))


def test_a_file_shorter_than_its_announced_size_is_truncated():
    photo = pictures.png()
    with pytest.raises(TruncatedPhoto):
        inspect(BytesIO(photo[:-20]), len(photo), LIMITS)


def test_a_scan_cut_behind_its_end_marker_lookalikes_is_truncated():
    photo = pictures.jpeg(exif=pictures.exif_orientation(1) + b"\xff\xd9" * 10)
    with pytest.raises(TruncatedPhoto):
        probe(photo[:-2] + b"\xff\x00\xd9\xff\xd0")


def _with_size(photo, at, layout, width, height):
    data = bytearray(photo)
    struct.pack_into(layout, data, at, width, height)
    return bytes(data)


def _huge():
    jpeg, heic, avif = pictures.jpeg(), pictures.heic(), pictures.avif()
    return {
        "jpeg": _with_size(jpeg, jpeg.index(b"\xff\xc0") + 5, ">HH", 60_000, 60_000),
        "png": pictures.png_bomb(),
        "gif": pictures.gif_bomb(1, 60_000, 60_000),
        "webp": _with_size(pictures.webp(), 26, "<HH", 16_383, 16_383),
        "tiff": pictures.tiff_chain(1, size=(60_000, 60_000)),
        "bmp": _with_size(pictures.bmp(), 18, "<ii", 60_000, -60_000),
        "heic": _with_size(heic, heic.index(b"ispe") + 8, ">II", 60_000, 60_000),
        "avif": _with_size(avif, avif.index(b"ispe") + 8, ">II", 60_000, 60_000),
    }


@pytest.mark.parametrize(("name", "data"), _huge().items())
def test_pixels_over_the_limit_are_refused_with_their_number(name, data):
    with pytest.raises(TooManyPixels, match="268402689" if name == "webp" else "3600000000"):
        probe(data)


def test_exactly_the_limit_of_pixels_is_taken():
    assert probe(pictures.jpeg(64, 48), Limits(max_pixels=64 * 48)).width == 64
    with pytest.raises(TooManyPixels):
        probe(pictures.jpeg(64, 48), Limits(max_pixels=64 * 48 - 1))


@pytest.mark.parametrize(
    "data",
    [
        pictures.gif_bomb(4),
        pictures.tiff_chain(4),
        pictures.png(frames=4),
        pictures.webp(frames=4),
        pictures.avif(frames=4),
    ],
)
def test_frames_over_the_limit_are_refused(data):
    assert probe(data, Limits(max_frames=4)).frames == 4
    with pytest.raises(TooManyFrames):
        probe(data, Limits(max_frames=3))


@pytest.mark.parametrize("data", [pictures.gif_bomb(10_000), pictures.tiff_chain(10_000)])
def test_thousands_of_frames_are_refused_by_default(data):
    with pytest.raises(TooManyFrames):
        probe(data)


@pytest.mark.parametrize(
    "data",
    [
        pictures.tiff_chain(3, cyclic=True),
        pictures.png_bomb(0, 5),
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00\xff\xd9",  # a frame header and no scan
        pictures.PNG_SIGNATURE + pictures.png().split(pictures.PNG_SIGNATURE)[1][:25] + pictures.png_chunk(b"IEND"),
        b"RIFF\x04\x00\x00\x00WEBP",
    ],
)
def test_files_that_contradict_their_format_are_no_photos(data):
    with pytest.raises(NotAPhoto):
        probe(data)


def test_a_raw_photo_inside_a_tiff_is_refused_by_name():
    tiff = pictures.tiff_chain(1)
    with pytest.raises(NotAPhoto, match="DNG"):
        probe(tiff.replace(struct.pack("<HH", 277, 4), struct.pack("<HH", 50706, 4)))


def test_a_video_without_pictures_under_a_photo_brand_is_truncated_or_no_photo():
    sequence = pictures.avif(frames=3).replace(b"meta", b"free", 1)
    with pytest.raises((NotAPhoto, TruncatedPhoto)):
        probe(sequence.replace(b"pict", b"vide"))


@pytest.mark.parametrize("size", [0, 1, 2, 7, 2**31, 2**32 - 1])
@pytest.mark.parametrize(
    "kind", [b"ftyp", b"meta", b"iinf", b"iloc", b"iprp", b"ipco", b"ispe", b"ipma", b"moov", b"trak"]
)
def test_boxes_of_hostile_sizes_are_survived(kind, size):
    data = bytearray(pictures.avif(frames=2))
    at = data.index(kind) - 4
    data[at : at + 4] = size.to_bytes(4)
    _accepts_or_refuses(bytes(data))


def test_a_tiff_of_millions_of_strips_takes_little_memory():
    strips = 1_000_000
    numbers_at = pictures.behind_tiff(4)
    entries = [(256, 3, 1, 1), (257, 3, 1, 1), (273, 4, strips, numbers_at), (279, 4, strips, numbers_at)]
    data = pictures.tiff_of(entries, struct.pack(f"<{strips}I", *range(strips)))
    tracemalloc.start()
    try:
        assert probe(data).width == 1
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(data) / 2


def test_a_strip_behind_the_end_is_found_in_any_part_of_a_long_list():
    strips = 20_000
    numbers_at = pictures.behind_tiff(4)
    entries = [(256, 3, 1, 1), (257, 3, 1, 1), (273, 4, strips, numbers_at), (279, 3, strips, numbers_at + 4 * strips)]
    size = numbers_at + 6 * strips
    for broken in (None, 0, 8_191, 8_192, strips - 1):
        offsets = [size if number == broken else size - 1 for number in range(strips)]
        data = pictures.tiff_of(entries, struct.pack(f"<{strips}I{strips}H", *offsets, *[1] * strips))
        if broken is None:
            assert probe(data).width == 1
        else:
            with pytest.raises(TruncatedPhoto):
                probe(data)


def _accepts_or_refuses(data):
    try:
        found = probe(data)
    except PhotoRejected:
        return
    assert 1 <= found.width * found.height <= LIMITS.max_pixels
    assert 1 <= found.frames <= LIMITS.max_frames


@settings(max_examples=300, deadline=1_000)
@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 64), st.binary(max_size=300))
def test_noise_behind_any_beginning_is_accepted_or_refused(name, length, noise):
    _accepts_or_refuses(SAMPLES[name][:length] + noise)
    _sniffs(noise)


@settings(max_examples=600, deadline=1_000)
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.lists(st.tuples(st.integers(0, 600), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4),
)
def test_photos_with_changed_bytes_are_accepted_or_refused(name, changes):
    data = bytearray(SAMPLES[name])
    for offset, change in changes:
        at = offset % len(data)
        data[at : at + len(change)] = change
    _accepts_or_refuses(bytes(data))


@settings(max_examples=200, deadline=1_000)
@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 3_000), st.integers(0, 200), st.binary(max_size=50))
def test_photos_with_pieces_taken_out_and_put_in_are_accepted_or_refused(name, at, removed, added):
    photo = SAMPLES[name]
    _accepts_or_refuses(photo[:at] + added + photo[at + removed :])


def _sniffs(head):
    try:
        assert sniff(head[:HEAD_BYTES]).startswith("image/")
    except PhotoRejected as refusal:
        assert refusal.detail  # noqa: PT017 - either outcome is right
