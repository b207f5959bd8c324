"""The head of a request: read strictly, because what two programs read differently lets requests be smuggled."""

from __future__ import annotations

import re
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

END = b"\r\n\r\n"
MOST_BYTES = 32 * 1024
MOST_FIELDS = 100
CHARSET = "latin-1"

_LONGEST_KEPT = 260  # what was read is remembered, so longer names, hosts and options are refused before; RFC 1035: 253
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_LENGTH = re.compile(r"[0-9]{1,18}")
_HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=%:\[\]\-]*")
_VERSIONS = frozenset({"HTTP/1.1", "HTTP/1.0"})
_ALLOWED = b"\t\r\n" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))
_PRINTABLE = bytes(range(0x20, 0x7F)).decode()
_ONCE = frozenset({"HTTP_HOST", "CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_AUTHORIZATION", "HTTP_TRANSFER_ENCODING"})
_WITHOUT_PREFIX = frozenset({"CONTENT_LENGTH", "CONTENT_TYPE"})
_IGNORED = frozenset({"HTTP_PROXY"})  # programs take it for a setting of theirs (CVE-2016-5385)


class HeadRefused(Exception):
    """A request that is not answered by the application: its status, a code, and what is wrong with it."""

    def __init__(self, status: HTTPStatus, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


class Head(NamedTuple):
    """What the head of a request says.

    `fields` are the variables of WSGI: method, path, query and headers. `length` is that of the body, None for a
    chunked one. `is_new` tells that the client speaks HTTP/1.1 and understands chunks, `keeps` that the connection
    stays, `expects` that the client waits for `100 Continue`.
    """

    fields: dict[str, str]
    method: str
    length: int | None
    is_new: bool
    keeps: bool
    expects: bool


def read_head(data: bytes) -> Head:
    """Read a head, given without the empty line at its end. Raises HeadRefused."""
    if data.translate(None, _ALLOWED):
        raise _malformed("a control character")
    first, *lines = data.decode(CHARSET).split("\r\n")
    if not data.count(b"\r") == data.count(b"\n") == len(lines):
        raise _malformed("the end of a line")
    if len(lines) > MOST_FIELDS:
        raise _too_large(f"At most {MOST_FIELDS} header lines are taken.")
    method, target, version = _request_line(first)
    fields = {"REQUEST_METHOD": method, "REQUEST_URI": target, "SERVER_PROTOCOL": version}
    _read_fields(fields, lines)
    _read_target(fields, target)
    return _framed(fields, method, is_new=version == "HTTP/1.1")


def _request_line(line: str) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or not parts[1] or "\t" in line or parts[2] not in _VERSIONS:  # noqa: PLR2004 - as RFC 9112 says
        raise _malformed("the request line")
    if not _TOKEN.fullmatch(parts[0]):
        raise _malformed("the method")
    return parts[0], parts[1], parts[2]


def _read_fields(fields: dict[str, str], lines: Sequence[str]) -> None:
    for line in lines:
        name, colon, value = line.partition(":")
        key = _variable(name) if len(name) <= _LONGEST_KEPT else None
        if key is None or not colon:
            raise _malformed("a header line")
        value = value.strip(" \t")
        if key in fields:
            if key in _ONCE:
                raise _malformed(f"a second {name}")
            value = f"{fields[key]}{'; ' if key == 'HTTP_COOKIE' else ', '}{value}"
        if key:
            fields[key] = value


@lru_cache(maxsize=1024)
def _variable(name: str) -> str | None:
    """Return the variable of a header, None for what is no name.

    Nothing is returned for one that is left out: `_` in it would look like `-`.
    """
    if not _TOKEN.fullmatch(name):
        return None
    key = name.upper().replace("-", "_")
    key = key if key in _WITHOUT_PREFIX else f"HTTP_{key}"
    return "" if "_" in name or key in _IGNORED else key


def _read_target(fields: dict[str, str], target: str) -> None:
    """Take the target apart; one that names a host (RFC 9112, section 3.2.2) wins over `Host`."""
    if target[0] != "/":
        target = _without_host(fields, target)
    path, _, query = target.partition("#")[0].partition("?")
    fields["PATH_INFO"] = unquote_to_bytes(path.encode(CHARSET)).decode(CHARSET) if "%" in path else path
    fields["QUERY_STRING"] = query if query.isascii() else quote(query.encode(CHARSET), _PRINTABLE)


def _without_host(fields: dict[str, str], target: str) -> str:
    if target == "*" and fields["REQUEST_METHOD"] == "OPTIONS":
        return target
    try:
        parts = urlsplit(target)
    except ValueError as exc:
        raise _malformed("the target") from exc
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc:
        raise _malformed("the target")
    fields["HTTP_HOST"] = parts.netloc
    after = target[target.index("//") + len("//") + len(parts.netloc) :]
    return after if after.startswith("/") else f"/{after}"


def _framed(fields: dict[str, str], method: str, *, is_new: bool) -> Head:
    host = fields.get("HTTP_HOST", "/" if is_new else "")  # HTTP/1.1 demands one, and "/" is none
    options = fields.get("HTTP_CONNECTION", "")
    if len(host) > _LONGEST_KEPT or not _is_host(host):
        raise _malformed("Host")
    if len(options) > _LONGEST_KEPT:
        raise _malformed("Connection")
    expected = fields.get("HTTP_EXPECT", "").lower() if is_new else ""
    if expected not in {"", "100-continue"}:
        raise HeadRefused(HTTPStatus.EXPECTATION_FAILED, "expectation_failed", "Only 100-continue can be expected.")
    length = _length(fields, is_new=is_new)
    return Head(fields, method, length, is_new, _keeps(options, is_new=is_new), bool(expected))


@lru_cache(maxsize=256)
def _is_host(value: str) -> bool:
    return _HOST.fullmatch(value) is not None


@lru_cache(maxsize=64)
def _keeps(value: str, *, is_new: bool) -> bool:
    options = {option.strip() for option in value.lower().split(",")}
    return "close" not in options and (is_new or "keep-alive" in options)


def _length(fields: dict[str, str], *, is_new: bool) -> int | None:
    """Return the length of the body, None for a chunked one. Two answers to that question are refused."""
    coding, length = fields.get("HTTP_TRANSFER_ENCODING"), fields.get("CONTENT_LENGTH")
    if coding is not None:
        if length is not None or not is_new:
            raise _malformed("Transfer-Encoding beside Content-Length, or in HTTP/1.0")
        if coding.lower() != "chunked":
            raise HeadRefused(HTTPStatus.NOT_IMPLEMENTED, "not_implemented", "The only transfer encoding is chunked.")
        return None
    if length is None:
        return 0
    if not _LENGTH.fullmatch(length):
        raise _malformed("Content-Length")
    return int(length)


def too_large() -> HeadRefused:
    """Return the refusal of a head that does not end in time."""
    return _too_large(f"A request may have at most {MOST_BYTES:,} bytes before its body.")


def too_slow() -> HeadRefused:
    """Return the refusal of a head that does not come."""
    return HeadRefused(HTTPStatus.REQUEST_TIMEOUT, "head_too_slow", "The request did not come in time.")


def _too_large(detail: str) -> HeadRefused:
    return HeadRefused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large", detail)


def _malformed(what: str) -> HeadRefused:
    return HeadRefused(HTTPStatus.BAD_REQUEST, "malformed_head", f"The request breaks the rules of HTTP: {what}.")
