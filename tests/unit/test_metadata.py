"""What EXIF tells, and that no EXIF can make reading fail."""

import struct
from datetime import datetime
from io import BytesIO

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

import pictures
from albumen.domain.photos import Metadata, Position
from albumen.imaging.metadata import read_metadata

MAKE, MODEL, EXIF, GPS = 0x010F, 0x0110, 0x8769, 0x8825
TAKEN, SUBSECOND, LENS = 0x9003, 0x9291, 0xA434
PETERHOF = {1: "N", 2: (59.0, 53.0, 9.0), 3: "E", 4: (29.0, 54.0, 31.0)}


@pytest.fixture
def read(tmp_path):
    """Return a function that reads the metadata of bytes."""

    def read(data, media_type="image/jpeg"):
        source = tmp_path / "photo"
        source.write_bytes(data)
        return read_metadata(source, media_type)

    return read


def _exif(*, main=None, photo=None, gps=None):
    exif = Image.Exif()
    exif.update(main or {})
    exif.get_ifd(EXIF).update(photo or {})
    exif.get_ifd(GPS).update(gps or {})
    return exif


def _full():
    return _exif(
        main={MAKE: "NIKON CORPORATION", MODEL: "NIKON D90"},
        photo={TAKEN: "2026:06:21 23:59:58", SUBSECOND: "25", LENS: "35 mm f/1.8"},
        gps=PETERHOF,
    )


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/webp", "image/heic"])
def test_everything_is_read_from_every_format(read, media_type):
    data = getattr(pictures, media_type.removeprefix("image/"))(exif=_full())
    known = read(data, media_type)
    assert known.taken_at == datetime(2026, 6, 21, 23, 59, 58, 250_000)  # noqa: DTZ001 - the camera's local time
    assert (known.camera, known.lens) == ("NIKON D90", "35 mm f/1.8")
    assert known.position is not None
    assert known.position.latitude == pytest.approx(59.8858333)
    assert known.position.longitude == pytest.approx(29.9086111)


def test_everything_is_read_from_avif(read):
    target = BytesIO()
    pictures.picture().save(target, "AVIF", exif=_full())
    assert read(target.getvalue(), "image/avif") == read(pictures.jpeg(exif=_full()))


def test_everything_is_read_from_tiff(read):
    tags, target = ImageFileDirectory_v2(), BytesIO()
    tags[MAKE], tags[MODEL] = "NIKON CORPORATION", "NIKON D90"
    tags[EXIF] = {TAKEN: "2026:06:21 23:59:58", SUBSECOND: "25", LENS: "35 mm f/1.8"}
    tags[GPS] = PETERHOF
    pictures.picture().save(target, "TIFF", tiffinfo=tags)
    assert read(target.getvalue(), "image/tiff") == read(pictures.jpeg(exif=_full()))


@pytest.mark.parametrize("media_type", ["image/gif", "image/bmp"])
def test_formats_without_exif_tell_nothing(read, media_type):
    assert read(getattr(pictures, media_type.removeprefix("image/"))(), media_type) == Metadata()


def test_photo_without_exif_tells_nothing(read):
    assert read(pictures.jpeg()) == Metadata()
    assert read(pictures.png(), "image/png") == Metadata()


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Apple", "iPhone 15", "Apple iPhone 15"),
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("Canon", "", "Canon"),
        ("", "DSC-1", "DSC-1"),
        ("Зенит", "Ф1", "Зенит Ф1"),
        ("A\x07cme\0junk", "  Two \n\t  words  ", "Acme Two words"),
        ("x" * 500, "y" * 500, "x" * 200),
    ],
)
def test_camera_is_clean_and_names_its_make_once(read, make, model, camera):
    raw = {MAKE: make.encode().decode("latin-1"), MODEL: model.encode().decode("latin-1")}
    assert read(pictures.jpeg(exif=_raw_ascii(raw))).camera == camera


def _raw_ascii(values):
    """Return an EXIF block of ASCII entries exactly as given; Pillow's writer would tidy them."""
    start = 8 + 2 + 12 * len(values) + 4
    entries, texts = b"", b""
    for tag, text in sorted(values.items()):
        stored = text.encode("latin-1") + b"\0" * max(1, 5 - len(text))
        entries += struct.pack("<HHII", tag, 2, len(stored), start + len(texts))
        texts += stored
    return b"II" + struct.pack("<HIH", 42, 8, len(values)) + entries + bytes(4) + texts


@pytest.mark.parametrize(
    ("date", "subsecond", "taken_at"),
    [
        ("2026:06:21 10:20:30", None, "2026-06-21T10:20:30"),
        ("2026-06-21T10:20:30", None, "2026-06-21T10:20:30"),
        ("2026:06:21 10:20:30", "7", "2026-06-21T10:20:30.700"),
        ("2026:06:21 10:20:30", "1234567890", "2026-06-21T10:20:30.123456"),
        ("2026:06:21 10:20:30", "x²", "2026-06-21T10:20:30"),
        ("0000:00:00 00:00:00", None, None),
        ("    :  :     :  :  ", None, None),
        ("2026:02:30 10:20:30", None, None),
        ("2026:06:21 24:61:61", None, None),
        ("yesterday", None, None),
    ],
)
def test_time_is_read_or_left_out(read, date, subsecond, taken_at):
    photo = {TAKEN: date} | ({SUBSECOND: subsecond} if subsecond else {})
    wanted = datetime.fromisoformat(taken_at) if taken_at else None
    assert read(pictures.jpeg(exif=_exif(photo=photo))).taken_at == wanted


def test_south_and_west_are_negative(read):
    gps = {1: "S", 2: (33.0, 30.0, 0.0), 3: "W", 4: (70.0, 15.0, 36.0)}
    assert read(pictures.jpeg(exif=_exif(gps=gps))).position == Position(-33.5, -70.26)


@pytest.mark.parametrize(
    "wrong",
    [
        {2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)},
        {2: (90.0, 0.1, 0.0)},
        {4: (181.0, 0.0, 0.0)},
        {2: (IFDRational(0, 0), IFDRational(0, 0), IFDRational(0, 0))},
        {4: (IFDRational(1, 0), IFDRational(0), IFDRational(0))},
        {1: "X"},
        {1: ""},
    ],
)
def test_impossible_position_is_left_out(read, wrong):
    data = pictures.jpeg(exif=_exif(main={MAKE: "Acme"}, gps=PETERHOF | wrong))
    assert read(data) == Metadata(camera="Acme")


@pytest.mark.parametrize("seed", range(60))
def test_malformed_exif_never_fails(read, seed):
    block = bytearray(_full().tobytes().removeprefix(b"Exif\0\0"))
    noise = pictures._noise(seed)
    for _ in range(1 + seed % 12):
        block[noise.randrange(len(block))] = noise.randrange(256)
    cut = bytes(block[: noise.randrange(len(block))]) if seed % 3 == 0 else bytes(block)
    assert isinstance(read(pictures.jpeg(exif=cut)), Metadata)


@pytest.mark.parametrize(
    "media_type", ["image/jpeg", "image/png", "image/webp", "image/avif", "image/heic", "image/tiff"]
)
def test_bytes_that_are_no_photo_tell_nothing(read, media_type):
    assert read(b"\xff\xd8\xff\xe1\x00\x10Exif\0\0nonsense", media_type) == Metadata()
