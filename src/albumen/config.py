"""Settings: read once, validated, immutable.

A value comes from, the later wins: the default below, a TOML file, the environment (`ALBUMEN_…`), a flag.
This module imports nothing of Albumen but `errors`.
"""

from __future__ import annotations

import ipaddress
import json
import math
import os
import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, SettingsConfigDict

from albumen.errors import StartRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails
    from pydantic_settings import PydanticBaseSettingsSource

PREFIX = "ALBUMEN_"
CONFIG_VARIABLE = "ALBUMEN_CONFIG"
DEFAULT_CONFIG = Path("albumen.toml")
RATE = r"^[1-9]\d{0,8}/([1-9]\d{0,3} )?(second|minute|hour|day)$"
MOST_DECODERS = 64
LONGEST_SECONDS = 86_400
LONGEST_DAYS = 36_500  # a century: much more, and the moment that long ago is not in the calendar

MOST_SHOWN = 80
_A_RATE = "a number of requests in a time: /second, /minute, /hour or /day"
_ALLOWED = {
    "host": "a name or an address",
    "data": "a directory",
    "rate_requests": _A_RATE,
    "rate_uploads": _A_RATE,
    "public_url": "an address that starts with http:// or https://",
    "trusted_hosts": "host names without a port",
    "cors_origins": "origins without a path",
}
"""What settings must be whose type and bounds do not tell it."""
_EXAMPLES: Mapping[str, object] = {
    "workers": 2,
    "uploads": 1,
    "uploads_per_address": 144,
    "rate_requests": "600/minute",
    "rate_uploads": "10/5 second",
    "public_url": "https://photos.example.org",
    "trusted_hosts": ("photos.lan", "albumen"),
    "cors_origins": ("https://app.example.org",),
    "min_free_bytes": 500_000_000,
    "decode_processes": 2,
}
"""Examples of settings whose default is none, or follows the machine."""
_NOT_AS_SENT = "must have its host in the form that browsers send, xn--…"
_NOT_CALLED = "default_factory_not_called"  # said of a default that follows a setting which is refused itself

Names = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Every knob of the server. `docs/configuration.md` lists them all; a test compares."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(5000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    data: Path = Field(Path("albumen-data"), description="Directory of the database, the photos and the previews.")
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256, description="Server processes.")
    threads: int = Field(
        512, ge=1, le=4096, description="Requests that one process serves at once; a slow upload holds one."
    )
    uploads: int | None = Field(
        None, ge=1, le=4096, description="Uploads that one process takes at once; three eighths of the threads."
    )
    uploads_per_address: int | None = Field(
        None, ge=1, le=4096, description="Uploads of one address among them; three quarters of them."
    )
    rate_requests: str | None = Field(
        None, pattern=RATE, description="Requests of one key, or of one address without a key, such as 600/minute."
    )
    rate_uploads: str | None = Field(None, pattern=RATE, description="Likewise for uploads.")
    slow_seconds: float = Field(
        60.0, ge=1, le=LONGEST_SECONDS, description="Time in which a client has to send, or to take, some bytes."
    )
    slow_bytes: int = Field(10_000, ge=1, le=100_000_000, description="How many bytes that are.")
    open: bool = Field(default=False, description="Let anyone who reaches the server do everything.")
    public_url: str | None = Field(
        None, description="Address that links start with, such as https://photos.example.org."
    )
    trusted_hosts: Names = Field((), description="Further Host names that an open loopback server answers to.")
    proxy_hops: int = Field(
        0, ge=0, le=8, description="Reverse proxies in front whose X-Forwarded-* headers are believed."
    )
    nginx_accel: bool = Field(
        default=False, description="Let the nginx of `albumen nginx-config` send and keep photo bytes itself."
    )
    cors_origins: Names = Field((), description="Origins whose pages may call the API from a browser.")
    max_photo_bytes: int = Field(200_000_000, ge=1, description="Largest photo, in bytes.")
    max_photos: int = Field(10_000, ge=1, description="Most photos in one request.")
    max_pixels: int = Field(200_000_000, ge=1, description="Largest photo, in pixels.")
    max_frames: int = Field(500, ge=1, description="Most frames of an animation, or pages of a TIFF.")
    group_photos: int = Field(64, ge=1, le=1000, description="Photos that share one commit; more on a slow disk.")
    min_free_bytes: int | None = Field(
        None, ge=0, description="Free bytes to leave on the disk; a hundredth of it, at most 500 MB."
    )
    sync_threads: int = Field(8, ge=1, le=64, description="Threads per process that wait for the disk.")
    busy_seconds: float = Field(
        10.0, gt=0, le=LONGEST_SECONDS, description="Wait for the database, or for `albumen gc`, before answering 503."
    )
    derive: bool = Field(
        default=True, description="Make placeholders and grid previews and read EXIF in the background."
    )
    derive_processes: int = Field(1, ge=1, le=64, description="Decoding processes of the background worker.")
    decode_processes: int = Field(
        default_factory=lambda given: _decoders_of_a_worker(given["workers"]),
        ge=1,
        le=MOST_DECODERS,
        description="Decoding processes, per server process, for previews made on request.",
    )
    decode_seconds: float = Field(30.0, gt=0, le=LONGEST_SECONDS, description="Longest time to decode one photo.")
    decode_memory: int = Field(
        2_000_000_000, ge=100_000_000, description="Most memory of a decoding process, in bytes."
    )
    trash_days: float = Field(
        30.0, ge=0, le=LONGEST_DAYS, description="Days in the trash before `albumen gc` deletes for good."
    )
    quarantine_days: float = Field(
        7.0, ge=0, le=LONGEST_DAYS, description="Days that unreferenced or damaged files stay in quarantine."
    )
    shutdown_seconds: int = Field(30, ge=1, description="Time for requests in flight at a graceful stop.")
    access_log: bool = Field(default=False, description="Log every request.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines look.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level logged.")

    @field_validator("trusted_hosts", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        return value

    @field_validator("trusted_hosts", mode="after")
    @classmethod
    def _as_sent(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_in_ascii, value))

    @field_validator("data", mode="before")
    @classmethod
    def _name_a_directory(cls, value: object) -> object:
        if not str(value).strip():
            raise ValueError("must name a directory")
        return value

    @field_validator("cors_origins", mode="after")
    @classmethod
    def _look_like_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if origin != f"{parts.scheme}://{parts.netloc}" or not parts.netloc:
                raise ValueError("must be origins such as https://photos.example.org, without a path")
        return tuple(map(_in_ascii, value))

    @field_validator("uploads", mode="after")
    @classmethod
    def _leave_threads(cls, value: int | None, info: ValidationInfo) -> int | None:
        threads = info.data.get("threads")  # None when that is refused itself
        if value is None or threads is None:
            return value
        most = max(1, threads * 7 // 16)
        if value > most:
            raise ValueError(f"must be at most {most}, 7/16 of 'threads'")
        return value

    @field_validator("public_url", mode="after")
    @classmethod
    def _without_slash(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        if value is not None and not urlsplit(value).netloc:
            raise ValueError("must name a host")
        return _in_ascii(value).rstrip("/") if value else None

    @property
    def is_local(self) -> bool:
        """Tell whether only this machine can reach the server: not where a proxy stands in front of it."""
        if self.proxy_hops or self.nginx_accel:
            return False
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def _in_ascii(address: str) -> str:
    """Return a host, or an address with its host, as browsers send it: `https://фото.рф` as `https://xn--…`.

    Raises:
        ValueError: Other letters stand elsewhere, or browsers may encode the name otherwise than Python does.
    """
    if address.isascii():
        return address
    before, mark, rest = address.rpartition("://")
    host = re.split("[/:]", rest, maxsplit=1)[0]
    encoded = _idna(host)
    if not re.fullmatch(r"[a-z0-9.-]+", encoded) or _from_idna(encoded) != host.lower():
        raise ValueError(_NOT_AS_SENT)
    converted = f"{before}{mark}{encoded}{rest[len(host) :]}"
    if not converted.isascii():
        raise ValueError("must have nothing but ASCII behind its host")
    return converted


def _idna(host: str) -> str:
    try:
        return host.lower().encode("idna").decode("ascii")
    except UnicodeError as exc:
        raise ValueError(_NOT_AS_SENT) from exc


def _from_idna(encoded: str) -> str:
    try:
        return encoded.encode().decode("idna")
    except UnicodeError as exc:
        raise ValueError(_NOT_AS_SENT) from exc


def _decoders_of_a_worker(workers: int) -> int:
    """Return twice a worker's part of the cores, for requests do not spread evenly; never more than there are cores."""
    cores = os.cpu_count() or 1
    return min(cores, MOST_DECODERS, math.ceil(2 * cores / workers))


def load_settings(flags: Mapping[str, Any] | None = None, config: Path | None = None) -> Settings:
    """Read the TOML file and the environment once and lay `flags` that are not None over them.

    The file is `config`, else `$ALBUMEN_CONFIG`, else `./albumen.toml` when it is there.

    Raises:
        StartRefused: A file that cannot be read, unknown names, or bad values; the detail has a line for each of them.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    file_values = _read_file(config)
    unknown = _unknown_variables()
    try:
        resolved = _with_file(file_values)(**given)
    except ValidationError as exc:
        raise StartRefused("\n".join([*unknown, *_explain(exc, given, file_values)])) from exc
    if unknown:
        raise StartRefused("\n".join(unknown))
    return Settings.model_construct(**dict(resolved))


def _with_file(values: Mapping[str, Any]) -> type[Settings]:
    """Settings whose least source is the TOML file."""

    class FileSettings(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class passes four sources
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=dict(values))

    return FileSettings


def _read_file(config: Path | None) -> dict[str, Any]:
    chosen = config or os.environ.get(CONFIG_VARIABLE)
    path = Path(chosen) if chosen else DEFAULT_CONFIG
    if not chosen and not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises where we may not look
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise StartRefused(f"The settings file {path} cannot be read: {exc.strerror}.") from exc
    except ValueError as exc:  # a number of thousands of digits is none of TOML's own errors
        raise StartRefused(f"The settings file {path} is not valid TOML: {exc}.") from exc


def _unknown_variables() -> Sequence[str]:
    """Return a line for each variable that looks like a setting and is none."""
    known = [f"{PREFIX}{name}".upper() for name in Settings.model_fields] + [CONFIG_VARIABLE]
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    return [f"{name} {_not_a_setting(name, known)}" for name in unknown]


def _not_a_setting(name: str, known: Sequence[str]) -> str:
    meant = "".join(f" Did you mean {other}?" for other in get_close_matches(name, known, 1))
    return f"is not a setting of Albumen.{meant} docs/configuration.md lists them all."


def _explain(exc: ValidationError, flags: Mapping[str, Any], file_values: Mapping[str, Any]) -> Sequence[str]:
    """Return a line for each setting that is refused: where it was set, what it must be, what it is, an example."""
    first: dict[str, ErrorDetails] = {}
    for error in exc.errors():
        if error["type"] != _NOT_CALLED:
            first.setdefault(str(error["loc"][0]), error)
    return [_line(name, error, flags, file_values) for name, error in first.items()]


def _line(name: str, error: ErrorDetails, flags: Mapping[str, Any], file_values: Mapping[str, Any]) -> str:
    field = Settings.model_fields.get(name)
    if field is None:
        return f"{_in_file(name)} {_not_a_setting(name, list(Settings.model_fields))}"
    own = error.get("ctx", {}).get("error")
    rule = str(own) if own else f"must be {_allowed(name, field)}"
    place, example = _origin(name, flags, file_values), _EXAMPLES.get(name, field.default)
    return f"{place}: {rule}, not {_shown(error['input'])}. Example: {_as_written(name, example, place)}"


def _allowed(name: str, field: FieldInfo) -> str:
    """Say what a setting must be."""
    if name in _ALLOWED:
        return _ALLOWED[name]
    choices = get_args(field.annotation)
    if field.annotation is bool:
        return "true or false"
    if isinstance(next(iter(choices), None), str):
        return f"one of {', '.join(choices)}"
    return f"a number{_bounds(field)}" if field.annotation is float else f"a whole number{_bounds(field)}"


def _bounds(field: FieldInfo) -> str:
    """Say between which numbers a setting must lie."""
    limits = {
        name: getattr(each, name) for each in field.metadata for name in ("ge", "gt", "le") if hasattr(each, name)
    }
    if "gt" in limits:
        return f" over {limits['gt']}, at most {limits['le']}"
    return f" from {limits['ge']}" + (f" to {limits['le']}" if "le" in limits else "")


def _shown(value: object) -> str:
    """Return a value for a message: on one line, not too long, and without what may be a password.

    A bad address may lack its scheme, and its password may have any letter: nothing before the last `@` is shown.
    """
    text = str(value) if isinstance(value, int | float) else repr(_without_password(value))
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _without_password(value: object) -> object:
    text = value if isinstance(value, str) else repr(value)
    before, mark, after = text.rpartition("@")
    if not mark:
        return value
    scheme = re.match(r"[a-z]{1,8}://", before)
    return f"{scheme[0] if scheme else ''}…@{after}"


def _as_written(name: str, value: object, place: str) -> str:
    """Return a setting as it is written in the place where a bad value of it stands."""
    plain: object = f"{value:g}" if isinstance(value, float) else value
    if place == _in_file(name):
        return f"{name} = {plain if isinstance(value, float) else json.dumps(plain, default=str)}"
    text = ",".join(plain) if isinstance(plain, tuple) else json.dumps(plain, default=str).strip('"')
    return f"{place} {text}" if place.startswith("--") else f"{place}={text}"


def _in_file(name: str) -> str:
    return f"'{name}' in the settings file"


def _origin(name: str, flags: Mapping[str, Any], file_values: Mapping[str, Any]) -> str:
    """Name the place a bad value came from, as the person wrote it."""
    if name in flags:
        return f"--{name.replace('_', '-')}"
    variable = f"{PREFIX}{name}".upper()
    for given in os.environ:
        if given.upper() == variable:  # pydantic takes it in any case
            return given
    return _in_file(name) if name in file_values else name
