"""What a file is that is no photo, so that the refusal can say it. Imports nothing of Albumen."""

from __future__ import annotations

_SIGNATURES = (
    (b"%PDF-", "a PDF"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"8BPS", "a Photoshop document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"BZh", "bzip2"),
    (b"\x7fELF", "a program"),
    (b"\x00\x00\x01\x00", "an icon (ICO)"),
    (b"\x00\x00\x02\x00", "a cursor (CUR)"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"II\xbc", "JPEG XR"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"\x00\x00\x01\xba", "a video"),
    (b"\x00\x00\x01\xb3", "a video"),
    (b"FLV\x01", "a video"),
    (b"ID3", "sound"),
    (b"OggS", "sound or video"),
    (b"fLaC", "sound"),
    (b"IIRO", "a raw photo (ORF)"),
    (b"IIRS", "a raw photo (ORF)"),
    (b"MMOR", "a raw photo (ORF)"),
    (b"IIU\x00", "a raw photo (RW2)"),
    (b"FUJIFILMCCD-RAW", "a raw photo (RAF)"),
    (b"II\x1a\x00\x00\x00HEAPCCDR", "a raw photo (CRW)"),
    (b"FOVb", "a raw photo (X3F)"),
    (b"\x00MRM", "a raw photo (MRW)"),
    (b"SQLite format 3\x00", "a database"),
)
_RIFF_KINDS = {b"AVI ": "a video", b"WAVE": "sound"}
_BRANDS = {b"crx ": "a raw photo (CR3)", b"M4A ": "sound"}
_CONTROLS = bytes(sorted(set(range(32)) - set(b"\t\n\x0c\r\x1b"))) + b"\x7f"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def is_raw_tiff(head: bytes) -> bool:
    """Tell a CR2, which wraps a raw photo in a TIFF, from a TIFF."""
    return head[8:10] == b"CR" and head.startswith((b"II\x2a\x00", b"MM\x00\x2a"))


def name_of(head: bytes) -> str | None:
    """Return with its article what the first bytes look like ('a PDF', 'a video', 'text', …), None if unknown."""
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if is_raw_tiff(head):
        return "a raw photo (CR2)"
    if head[:4] == b"RIFF":
        return _RIFF_KINDS.get(head[8:12])
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"pnot"}:
        return _BRANDS.get(head[8:12], "a video")
    return _name_of_text(head)


def _name_of_text(head: bytes) -> str | None:
    if head.startswith(_UTF_16):
        return "text"
    if len(head.translate(None, _CONTROLS)) < len(head):
        return None
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if b"<svg" in start and start.startswith(b"<"):
        return "an SVG drawing"
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML)"
    return "XML" if start.startswith(b"<?xml") else _plain_text(head)


def _plain_text(head: bytes) -> str | None:
    """Tell UTF-8 from noise; a character may be cut at the end of the head."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return "text" if error.start > 0 and error.end == len(head) else None
    return "text"
