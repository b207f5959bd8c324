"""What it costs to look at a file, in units of work: little for hostile ones, and real ones stay far below the end."""

import struct
from contextlib import suppress
from io import BytesIO

import pytest

import pictures
from albumen.errors import NotAPhoto, PhotoRejected, TruncatedPhoto
from albumen.imaging.formats.source import Source
from albumen.imaging.limits import Limits
from albumen.imaging.probe import _READERS, inspect, sniff

LIMITS = Limits()
ALLOWED, BYTES_PER_UNIT = 20_000, 64


def work_of(data):
    """Look at a file and return the units of work, whether it is taken or refused."""
    source = Source(BytesIO(data), len(data))
    with suppress(EOFError, ValueError, IndexError, struct.error, PhotoRejected):
        _READERS[sniff(data)](source, LIMITS)
    return source.work


def probe(data):
    return inspect(BytesIO(data), len(data), LIMITS)


def tiff_with_sides(offsets, sides):
    """Return a TIFF whose page names side directories; an offset counts from where `sides` begins."""
    names_at = pictures.behind_tiff(5)
    sides_at = names_at + 4 * len(offsets)
    named = struct.pack(f"<{len(offsets)}I", *(sides_at + offset for offset in offsets))
    page = [(256, 3, 1, 1), (257, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 1), (330, 4, len(offsets), names_at)]
    return pictures.tiff_of(page, named + sides)


HEIC_BRANDS = int.from_bytes(pictures.heic()[:4])
SIDE = struct.pack("<H", 1_000) + struct.pack("<HHII", 1_000, 3, 1, 1) * 1_000 + bytes(4)


@pytest.mark.parametrize(
    "data",
    [
        pictures.gif_bomb(0)[:-1] + b"!\xfe\x00" * 300_000,
        pictures.gif_bomb(0)[:-1] + bytes(1_000_000),
        pictures.jpeg()[:2] + b"\xff\xfe\x00\x02" * 200_000,
        pictures.jpeg()[:3] + b"\xd8\xff" * 500_000,
        pictures.png()[:33] + pictures.png_chunk(b"teXt") * 100_000,
        pictures.heic()[:HEIC_BRANDS] + struct.pack(">I4s", 8, b"free") * 100_000,
        tiff_with_sides(range(0, 200, 2), struct.pack("<H", 999) * 20_000),
    ],
    ids=["gif extensions", "gif filling", "jpeg comments", "jpeg starts", "png chunks", "heic boxes", "tiff sides"],
)
def test_files_of_nothing_but_tiny_parts_are_refused_after_work_that_fits_their_size(data):
    with pytest.raises((NotAPhoto, TruncatedPhoto)):
        probe(data)
    assert work_of(data) <= ALLOWED + len(data) / BYTES_PER_UNIT + len(SIDE) / 12


def test_the_largest_file_of_tiny_parts_is_given_up_after_a_million_units():
    source = Source(BytesIO(), 10**12)
    source.spend(1_000_000)
    with pytest.raises(ValueError, match="tiny parts"):
        source.spend(1)


def test_pieces_of_a_heic_that_take_no_bytes_are_looked_at_once():
    assert work_of(pictures.heic_grid(17, pieces=65_535, piece_bytes=0)) < 1_000


def test_a_side_directory_of_a_tiff_that_is_named_often_is_looked_at_once():
    data = tiff_with_sides([0] * 100, SIDE)
    assert probe(data).width == 1
    assert work_of(data) < 2 * 1_000


def test_a_tiff_of_more_side_directories_than_a_photo_has_is_refused():
    with pytest.raises(NotAPhoto, match="side directories"):
        probe(tiff_with_sides([0] * 101, SIDE))


def test_reading_to_and_fro_costs_as_much_as_the_bytes_that_are_loaded_anew():
    file = CountingFile(bytes(140_000))
    source = Source(file, 140_000)
    with pytest.raises(ValueError, match="tiny parts"):
        read_to_and_fro(source)
    assert file.loads < 3_000


def read_to_and_fro(source):
    while True:
        source.at(0, 1)
        source.at(70_000, 1)


class CountingFile(BytesIO):
    """Counts its reads."""

    loads = 0

    def read(self, size=-1):
        self.loads += 1
        return super().read(size)


def gif_in_sub_blocks_of_a_byte():
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x08"
    return pictures.gif_bomb(0)[:-1] + frame + b"\x01\x01" * 500_000 + b"\x00;"


def tiff_of_strips_of_a_row(pages, rows):
    """Return a fax of blank pages: a strip of one byte for each row."""
    page_bytes = pictures.behind_tiff(4) - 8 + 5 * rows
    data = b"II*\x00" + struct.pack("<I", 8)
    for number in range(pages):
        at = 8 + number * page_bytes
        offsets_at, following = at + pictures.behind_tiff(4) - 8, at + page_bytes if number + 1 < pages else 0
        entries = [(256, 3, 1, 1), (257, 3, 1, rows), (273, 4, rows, offsets_at), (279, 1, rows, offsets_at + 4 * rows)]
        table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
        data += struct.pack("<H", 4) + table + struct.pack("<I", following)
        data += struct.pack("<I", 8) * rows + b"\x01" * rows
    return data


@pytest.mark.parametrize(
    "data",
    [pictures.heic_grid(1_000), gif_in_sub_blocks_of_a_byte(), tiff_of_strips_of_a_row(20, 2_000)],
    ids=["heic of 1,000 tiles", "gif byte by byte", "tiff row by row"],
)
def test_photos_of_many_parts_are_taken_and_stay_far_below_the_end(data):
    assert probe(data).width
    assert work_of(data) < (ALLOWED + len(data) / BYTES_PER_UNIT) / 1.9
