"""What the client remembers between two starts: one frozen value, kept as one JSON text."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from urllib.parse import urlsplit

LANGUAGES = ("en", "ru")
THEMES = ("system", "light", "dark")


@dataclass(frozen=True, slots=True)
class Preferences:
    """Choices of the person. `language` empty means that of the device; `server` empty means none chosen yet."""

    server: str = ""
    key: str = ""
    dataset: str = "main"
    language: str = ""
    theme: str = "system"
    plain_http: bool = False
    only_wifi: bool = False
    keep_names: bool = True

    def to_text(self) -> str:
        """Return the text to keep."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str | None) -> Preferences:
        """Read a kept text; what is missing, unknown or of the wrong kind becomes the default."""
        try:
            value = json.loads(text or "{}")
        except ValueError:
            return cls()
        if not isinstance(value, dict):
            return cls()
        kinds = {field.name: type(field.default) for field in fields(cls)}
        return cls(**{name: value[name] for name, kind in kinds.items() if type(value.get(name)) is kind})

    def language_for(self, device: str | None) -> str:
        """Return the language to speak, given that of the device, such as `ru_RU`."""
        if self.language in LANGUAGES:
            return self.language
        spoken = (device or "").lower()[:2]
        return spoken if spoken in LANGUAGES else LANGUAGES[0]


def server_address(text: str) -> str | None:
    """Return what a person typed as an address of a server without a slash at its end, or None when it is none.

    Without a scheme it is https, except for addresses of a home network, which have no certificates.
    """
    typed = text.strip().rstrip("/")
    if "://" not in typed:
        typed = f"{'http' if _is_at_home(typed) else 'https'}://{typed}"
    try:
        parts = urlsplit(typed)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return typed if is_address and " " not in typed else None


def _is_at_home(host: str) -> bool:
    name = host.partition("/")[0].partition(":")[0]
    return name == "localhost" or name.endswith(".local") or name.replace(".", "").isdigit()
