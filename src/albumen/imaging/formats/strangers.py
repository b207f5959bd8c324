"""What a file is that is no photo, so that the refusal can say it. Imports nothing of Albumen."""

from __future__ import annotations

from typing import NamedTuple


class Stranger(NamedTuple):
    """A kind of file that is no photo: a stable word for programs, and its name with the article for people."""

    kind: str
    name: str


_SIGNATURES = (
    (b"%PDF-", Stranger("pdf", "a PDF")),
    (b"%!PS", Stranger("postscript", "PostScript")),
    (b"\xc5\xd0\xd3\xc6", Stranger("postscript", "PostScript")),
    (b"8BPS", Stranger("photoshop", "a Photoshop document")),
    (b"PK\x03\x04", Stranger("archive", "a ZIP archive or an office document")),
    (b"PK\x05\x06", Stranger("archive", "a ZIP archive")),
    (b"Rar!\x1a\x07", Stranger("archive", "a RAR archive")),
    (b"7z\xbc\xaf\x27\x1c", Stranger("archive", "a 7-Zip archive")),
    (b"\x1f\x8b", Stranger("archive", "gzip")),
    (b"\x28\xb5\x2f\xfd", Stranger("archive", "Zstandard")),
    (b"BZh", Stranger("archive", "bzip2")),
    (b"\x7fELF", Stranger("program", "a program")),
    (b"\x00\x00\x01\x00", Stranger("icon", "an icon (ICO)")),
    (b"\x00\x00\x02\x00", Stranger("icon", "a cursor (CUR)")),
    (b"\xff\x0a", Stranger("jpeg_xl", "JPEG XL")),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", Stranger("jpeg_xl", "JPEG XL")),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", Stranger("jpeg_2000", "JPEG 2000")),
    (b"\xff\x4f\xff\x51", Stranger("jpeg_2000", "JPEG 2000")),
    (b"II\xbc", Stranger("jpeg_xr", "JPEG XR")),
    (b"\x76\x2f\x31\x01", Stranger("hdr", "OpenEXR")),
    (b"#?RADIANCE", Stranger("hdr", "Radiance HDR")),
    (b"\x1aE\xdf\xa3", Stranger("video", "a video")),
    (b"\x00\x00\x01\xba", Stranger("video", "a video")),
    (b"\x00\x00\x01\xb3", Stranger("video", "a video")),
    (b"FLV\x01", Stranger("video", "a video")),
    (b"ID3", Stranger("sound", "sound")),
    (b"OggS", Stranger("video", "sound or video")),
    (b"fLaC", Stranger("sound", "sound")),
    (b"IIRO", Stranger("raw_photo", "a raw photo (ORF)")),
    (b"IIRS", Stranger("raw_photo", "a raw photo (ORF)")),
    (b"MMOR", Stranger("raw_photo", "a raw photo (ORF)")),
    (b"IIU\x00", Stranger("raw_photo", "a raw photo (RW2)")),
    (b"FUJIFILMCCD-RAW", Stranger("raw_photo", "a raw photo (RAF)")),
    (b"II\x1a\x00\x00\x00HEAPCCDR", Stranger("raw_photo", "a raw photo (CRW)")),
    (b"FOVb", Stranger("raw_photo", "a raw photo (X3F)")),
    (b"\x00MRM", Stranger("raw_photo", "a raw photo (MRW)")),
    (b"SQLite format 3\x00", Stranger("database", "a database")),
)
_VIDEO, _SOUND, _TEXT = Stranger("video", "a video"), Stranger("sound", "sound"), Stranger("text", "text")
_RIFF_KINDS = {b"AVI ": _VIDEO, b"WAVE": _SOUND}
_BRANDS = {b"crx ": Stranger("raw_photo", "a raw photo (CR3)"), b"M4A ": _SOUND}
_CONTROLS = bytes(sorted(set(range(32)) - set(b"\t\n\x0c\r\x1b"))) + b"\x7f"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def is_raw_tiff(head: bytes) -> bool:
    """Tell a CR2, which wraps a raw photo in a TIFF, from a TIFF."""
    return head[8:10] == b"CR" and head.startswith((b"II\x2a\x00", b"MM\x00\x2a"))


def stranger_of(head: bytes) -> Stranger | None:
    """Return what the first bytes look like, None if unknown."""
    for signature, stranger in _SIGNATURES:
        if head.startswith(signature):
            return stranger
    if is_raw_tiff(head):
        return Stranger("raw_photo", "a raw photo (CR2)")
    if head[:4] == b"RIFF":
        return _RIFF_KINDS.get(head[8:12])
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"pnot"}:
        return _BRANDS.get(head[8:12], _VIDEO)
    return _stranger_of_text(head)


def _stranger_of_text(head: bytes) -> Stranger | None:
    if head.startswith(_UTF_16):
        return _TEXT
    if len(head.translate(None, _CONTROLS)) < len(head):
        return None
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if b"<svg" in start and start.startswith(b"<"):
        return Stranger("svg", "an SVG drawing")
    if start.startswith((b"<!doctype html", b"<html")):
        return Stranger("html", "a web page (HTML)")
    if start.startswith(b"<?xml"):
        return Stranger("xml", "XML")
    return _TEXT if _is_utf_8(head) else None


def _is_utf_8(head: bytes) -> bool:
    """Tell UTF-8 from noise; a character may be cut at the end of the head."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > 0 and error.end == len(head)
    return True
