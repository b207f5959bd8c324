"""The layout of our ZIP files, read back by the standard library."""

from __future__ import annotations

import io
import zipfile
import zlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from albumen.domain.zipfile import Member, central_header, end_records, local_header, total_size

NOON = datetime(2026, 11, 23, 12, 0, 1, 500_000, tzinfo=UTC)
HUGE = 5_000_000_000


def write(file, contents):
    """Write an archive of pairs of a member and its bytes; None stands for zeros that a sparse file has anyway."""
    directory = b""
    for member, data in contents:
        crc32 = zlib.crc32(data) if data is not None else 0
        directory += central_header(member, crc32, file.tell())
        file.write(local_header(member, crc32))
        if data is None:
            file.seek(member.size, io.SEEK_CUR)
        else:
            file.write(data)
    offset = file.tell()
    file.write(directory + end_records(len(contents), len(directory), offset))
    return file.tell()


def test_what_is_stored_comes_back():
    contents = [(Member(name, len(name), NOON), name.encode()[: len(name)]) for name in ("a.jpg", "b (2).jpg", "empty")]
    file = io.BytesIO()
    size = write(file, contents)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert [archive.read(member.name) for member, _ in contents] == [data for _, data in contents]
    assert size == total_size(member for member, _ in contents)


def test_an_empty_archive_is_one():
    file = io.BytesIO()
    assert write(file, []) == total_size([]) == 22
    assert zipfile.ZipFile(file).namelist() == []


def test_names_are_marked_as_utf_8():
    file = io.BytesIO()
    write(file, [(Member("Мишка.jpg", 1, NOON), b"x")])
    (info,) = zipfile.ZipFile(file).infolist()
    assert (info.filename, info.flag_bits) == ("Мишка.jpg", 0x800)


def test_every_header_is_complete_where_it_stands():
    header = local_header(Member("a.jpg", 3, NOON), zlib.crc32(b"abc"))
    assert int.from_bytes(header[14:18], "little") == zlib.crc32(b"abc")
    assert (int.from_bytes(header[18:22], "little"), int.from_bytes(header[22:26], "little")) == (3, 3)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (NOON, (2026, 11, 23, 12, 0, 0)),
        (NOON.astimezone(timezone(timedelta(hours=3))), (2026, 11, 23, 12, 0, 0)),
        (datetime(1970, 5, 6, tzinfo=UTC), (1980, 5, 6, 0, 0, 0)),
        (datetime(9999, 12, 31, tzinfo=UTC), (2107, 12, 31, 0, 0, 0)),
    ],
)
def test_the_time_of_a_member_is_that_of_the_photo_in_utc(moment, shown):
    file = io.BytesIO()
    size = write(file, [(Member("a.jpg", 1, moment), b"x")])
    assert zipfile.ZipFile(file).infolist()[0].date_time == shown
    assert size == total_size([Member("a.jpg", 1, moment)])


def test_members_and_offsets_beyond_4_gb_are_found(tmp_path):
    contents = [(Member("huge.tif", HUGE, NOON), None), (Member("small.jpg", 5, NOON), b"hello")]
    path = tmp_path / "huge.zip"
    with path.open("wb") as file:
        size = write(file, contents)
    with zipfile.ZipFile(path) as archive:
        assert [info.file_size for info in archive.infolist()] == [HUGE, 5]
        assert archive.read("small.jpg") == b"hello"
    assert size == path.stat().st_size == total_size(member for member, _ in contents)


def test_more_members_than_16_bits_can_count_are_all_found():
    contents = [(Member(str(number), 0, NOON), b"") for number in range(70_000)]
    file = io.BytesIO()
    size = write(file, contents)
    assert len(zipfile.ZipFile(file).namelist()) == 70_000
    assert size == total_size(member for member, _ in contents)
