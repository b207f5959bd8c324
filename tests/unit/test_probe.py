"""Photos of every format and mode are read as they are seen, and agree with the decoders."""

import struct
from io import BytesIO

import pillow_heif
import pytest
from PIL import Image

import pictures
from albumen.errors import TooManyPixels
from albumen.imaging.limits import Limits
from albumen.imaging.preview import render
from albumen.imaging.probe import HEAD_BYTES, inspect, sniff

LIMITS = Limits()


def header(data, limits=LIMITS):
    return inspect(BytesIO(data), len(data), limits)


def seen(data, limits=LIMITS):
    found = header(data, limits)
    return found.width, found.height, found.frames


@pytest.mark.parametrize(
    ("data", "media_type", "extension"),
    [
        (pictures.jpeg(), "image/jpeg", "jpg"),
        (pictures.png(), "image/png", "png"),
        (pictures.webp(), "image/webp", "webp"),
        (pictures.gif(), "image/gif", "gif"),
        (pictures.avif(), "image/avif", "avif"),
        (pictures.heic(), "image/heic", "heic"),
        (pictures.tiff(), "image/tiff", "tif"),
        (pictures.bmp(), "image/bmp", "bmp"),
    ],
)
def test_each_format_has_its_media_type_and_extension(data, media_type, extension):
    found = header(data)
    assert (found.media_type, found.extension, found.width, found.height, found.frames) == (
        media_type,
        extension,
        64,
        48,
        1,
    )
    assert sniff(data[:HEAD_BYTES]) == media_type


@pytest.mark.parametrize(
    "data",
    [
        *(
            pictures.jpeg(61, 37, mode=mode, progressive=progressive)
            for mode in ("L", "CMYK")
            for progressive in (0, 1)
        ),
        *(pictures.png(61, 37, mode=mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *(
            pictures.webp(61, 37, mode=mode, lossless=lossless)
            for mode in ("RGB", "RGBA")
            for lossless in (False, True)
        ),
        *(pictures.tiff(61, 37, mode=mode) for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16")),
        *(pictures.tiff(61, 37, compression=name) for name in ("tiff_lzw", "jpeg", "tiff_adobe_deflate", "packbits")),
        *(pictures.bmp(61, 37, mode=mode) for mode in ("1", "L", "P", "RGB", "RGBA")),
        pictures.png(61, 37, frames=3),
        pictures.webp(61, 37, frames=3),
        pictures.gif(61, 37, frames=4),
        pictures.tiff(61, 37, pages=3),
        pictures.avif(61, 37, frames=2),
        pictures.tiff_chain(7, size=(5, 3)),
        pictures.tiff_chain(7, size=(5, 3), byte_order=">"),
        pictures.tiff_chain(7, size=(5, 3), big=True),
    ],
)
def test_size_and_frames_agree_with_pillow(data):
    with Image.open(BytesIO(data)) as image:
        assert seen(data) == (*image.size, getattr(image, "n_frames", 1))


def test_big_tiff_of_the_other_byte_order_is_read():
    assert seen(pictures.tiff_chain(3, size=(5, 3), byte_order=">", big=True)) == (5, 3, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    "make", [pictures.jpeg, pictures.png, pictures.webp, pictures.tiff, pictures.avif, pictures.heic]
)
def test_orientation_5_to_8_swaps_width_and_height(make, orientation):
    assert seen(make(64, 48, orientation=orientation))[:2] == ((48, 64) if orientation > 4 else (64, 48))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_oriented_samples_are_of_one_upright_size(orientation):
    assert seen(pictures.oriented(orientation)) == (96, 64, 1)


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_exif_of_both_byte_orders_is_understood(byte_order):
    assert seen(pictures.jpeg(exif=pictures.exif_orientation(6, byte_order=byte_order))) == (48, 64, 1)


@pytest.mark.parametrize(
    "exif", [b"", b"II", b"II\x2a\x00\xff\xff\xff\xff", pictures.exif_orientation(99), b"\x00" * 500]
)
def test_malformed_exif_leaves_the_photo_upright(exif):
    assert seen(pictures.jpeg(exif=exif)) == (64, 48, 1)


def test_heic_agrees_with_its_decoder():
    data = pictures.heic(122, 74, orientation=6)
    assert seen(data)[:2] == pillow_heif.open_heif(data).size


def test_the_first_of_two_sizes_in_a_heic_counts_as_it_does_for_the_decoder():
    data = _with_second_properties(pictures.heic(64, 48), 32, 24)
    assert pillow_heif.open_heif(data).size == (64, 48)
    assert seen(data)[:2] == (64, 48)


def _with_second_properties(heic, width, height):
    """Append to `meta` a copy of its properties that tells another size; the picture moves, and `iloc` with it."""
    meta_at, properties_at, place_at = (heic.index(kind) - 4 for kind in (b"meta", b"iprp", b"mdat"))
    length = int.from_bytes(heic[properties_at : properties_at + 4])
    properties = bytearray(heic[properties_at : properties_at + length])
    struct.pack_into(">II", properties, properties.index(b"ispe") + 8, width, height)
    moved = heic.replace(struct.pack(">I", place_at + 8), struct.pack(">I", place_at + 8 + length))
    meta = struct.pack(">I", place_at - meta_at + length) + moved[meta_at + 4 : place_at] + properties
    return moved[:meta_at] + meta + moved[place_at:]


def test_large_segments_in_front_of_the_picture_are_fine():
    thumbnail = pictures.jpeg(32, 24, seed=9)
    exif = pictures.exif_orientation(6) + thumbnail
    assert seen(pictures.jpeg(exif=exif, icc=bytes(300_000))) == (48, 64, 1)


@pytest.mark.parametrize("tail", [bytes(5), b"\xff", b"<html>", pictures.jpeg(10, 10), b"PK\x03\x04" + bytes(100_000)])
@pytest.mark.parametrize(
    "make", [pictures.jpeg, pictures.png, pictures.gif, pictures.webp, pictures.tiff, pictures.bmp, pictures.avif]
)
def test_bytes_behind_the_end_are_fine(make, tail):
    assert seen(make() + tail) == (64, 48, 1)


def test_progressive_jpeg_with_a_tail_is_walked_to_its_end():
    photo = pictures.jpeg(300, 200, progressive=True)
    assert seen(photo + b"\x00tail") == (300, 200, 1)


def test_markers_across_the_border_of_a_window_are_found():
    for length in range(65_530, 65_545):
        assert seen(pictures.of_size(length) + b"\x00") == (64, 48, 1)


def test_padded_jpegs_have_exactly_the_bytes_wanted():
    for length in (3_000, 65_537, 131_075, 400_001):
        data = pictures.of_size(length, seed=4)
        assert (len(data), seen(data)) == (length, (64, 48, 1))


def test_bmp_with_the_top_row_first_has_a_positive_height():
    data = bytearray(pictures.bmp())
    data[22:26] = (-48).to_bytes(4, "little", signed=True)
    assert seen(bytes(data)) == (64, 48, 1)


def test_bmp_may_lack_the_padding_of_its_last_row():
    assert seen(pictures.bmp(33, 16, mode="1")[:-3]) == (33, 16, 1)


def test_mif1_photo_takes_its_type_from_the_codec_of_its_primary_item():
    photo = pictures.avif()
    length = int.from_bytes(photo[:4])
    brands = b"mif1" + bytes(4) + b"mif1miaf" + bytes(length - 24)
    assert header(photo[:8] + brands + photo[length:]).media_type == "image/avif"


def test_sequence_without_a_still_is_measured_by_its_picture_track():
    assert seen(pictures.avif(frames=3).replace(b"meta", b"free", 1)) == (64, 48, 3)


def test_inspect_reads_little_of_a_large_photo(tmp_path):
    path = tmp_path / "large.jpg"
    size = path.write_bytes(pictures.jpeg()[:-2] + bytes(2_000_000) + b"\xff\xd9")
    with path.open("rb", buffering=0) as file:
        counted = _Counting(file)
        inspect(counted, size, LIMITS)
    assert counted.read_bytes < 70_000


class _Counting:
    """A file that counts the bytes read from it."""

    def __init__(self, file):
        self._file = file
        self.read_bytes = 0

    def seek(self, offset):
        return self._file.seek(offset)

    def read(self, length):
        data = self._file.read(length)
        self.read_bytes += len(data)
        return data


def test_the_first_of_two_sizes_in_a_tiff_counts_as_it_does_for_the_decoder(tmp_path):
    sizes = [(256, 3, 1, 300), (256, 3, 1, 10), (257, 3, 1, 200), (257, 3, 1, 10)]
    others = [(258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, pictures.behind_tiff(8)), (279, 4, 1, 300 * 200)]
    data = pictures.tiff_of(sizes + others, bytes(300 * 200))
    (tmp_path / "twice.tif").write_bytes(data)
    decoded = render(tmp_path / "twice.tif", "image/tiff", [512])[512]
    assert seen(data) == (decoded.width, decoded.height, 1) == (300, 200, 1)
    with pytest.raises(TooManyPixels):
        header(data, Limits(max_pixels=300 * 200 - 1))
