"""Who may do what: roles in order, keys, and the caller of a request."""

from __future__ import annotations

import enum
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

_TOKEN = re.compile(r"alb_([0-9a-f]{12})_([0-9a-f]{64})")


class Role(enum.IntEnum):
    """Each role may do all that the ones before it may."""

    VIEWER = 1
    CONTRIBUTOR = 2
    EDITOR = 3
    ADMIN = 4

    @property
    def label(self) -> str:
        """The role as people write it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is stored: never the secret, only its digest."""

    id: str
    name: str
    role: Role
    digest: str
    created_at: datetime
    revoked_at: datetime | None = None
    used_on: date | None = None

    def admits(self, secret: str) -> bool:
        """Tell in constant time whether `secret` belongs to this key and the key is not revoked."""
        matches = hmac.compare_digest(self.digest, digest_secret(secret))
        return matches and self.revoked_at is None


@dataclass(frozen=True, slots=True)
class Token:
    """What a client sends: the id of a key and its secret. Text form `alb_<id>_<secret>`."""

    key_id: str
    secret: str

    def __str__(self) -> str:
        return f"alb_{self.key_id}_{self.secret}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking. `key_id` is None on an open server."""

    role: Role
    key_id: str | None = None


def new_token() -> Token:
    """Return a token with 256 random bits of secret."""
    return Token(secrets.token_hex(6), secrets.token_hex(32))


def parse_token(text: str) -> Token | None:
    """Return the token in `text`, or None when it has not the form of one."""
    match = _TOKEN.fullmatch(text)
    return Token(match[1], match[2]) if match else None


def digest_secret(secret: str) -> str:
    """Return the SHA-256 of a secret; a slow hash would add nothing to 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()
