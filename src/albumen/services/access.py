"""Keys, and who a caller is. Whether a caller may do a thing is decided by `require` and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from albumen.domain.access import Caller, Key, Role, Token, digest_secret, new_token, parse_token
from albumen.errors import InvalidParameter, KeyNotFound, KeyRequired, RoleTooSmall
from albumen.services.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from albumen.repository.engine import Database
    from albumen.repository.keys import KeyRepository
    from albumen.services.key_use import KeyUse

CACHE_SECONDS = 1.0
CACHED_KEYS = 1000
MODE_SECONDS = 0.25  # short, because nginx may keep what an open server answered for another second
LONGEST_NAME = 100
_ANYBODY = Caller(Role.ADMIN)


class Access:
    """Makes keys and recognises callers. A revoked key stops working within a second in every process.

    A use is noted when its key is loaded, so at most once a second.
    """

    def __init__(
        self,
        database: Database,
        keys: KeyRepository,
        clock: Callable[[], datetime],
        use: KeyUse,
        *,
        always_open: bool,
        may_be_open: bool,
    ) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._use = use
        self._always_open = always_open
        self._may_be_open = may_be_open
        self._recent_keys: Recent[Key | None] = Recent(CACHE_SECONDS, CACHED_KEYS)
        self._recent_mode: Recent[bool] = Recent(MODE_SECONDS, 1)

    @property
    def is_open(self) -> bool:
        """Tell whether callers need no key: asked for, or on a loopback address before the first key was made."""
        if self._always_open:
            return True
        return self._may_be_open and self._recent_mode.get("open", lambda: not self.has_keys())

    def has_keys(self) -> bool:
        """Tell whether a key was ever made."""
        with self._database.reading() as tx:
            return self._keys.exist(tx)

    def recognise(self, text: str | None) -> Caller | None:
        """Return who sends this token, or None when the server wants a valid one and this is none."""
        if self.is_open:
            return _ANYBODY
        token = parse_token(text) if text else None
        key = self._recent_keys.get(token.key_id, lambda: self._load(token)) if token else None
        if token is None or key is None or not key.admits(token.secret):
            return None
        return Caller(key.role, key.id)

    def require(self, text: str | None, needed: Role) -> Caller:
        """Return who sends this token if that one may do what `needed` may.

        Raises:
            KeyRequired: No valid key.
            RoleTooSmall: The key's role does not reach.
        """
        caller = self.recognise(text)
        if caller is None:
            raise KeyRequired("Send a valid key: 'Authorization: Bearer alb_…'.")
        if caller.role < needed:
            detail = f"This needs the role '{needed.label}', the key has '{caller.role.label}'."
            raise RoleTooSmall(detail, role=caller.role.label, needed=needed.label)
        return caller

    def create(self, name: str, role: Role) -> Token:
        """Make a key and return its token, which is shown this once. Raises InvalidParameter."""
        shown = name.strip()
        if not 0 < len(shown) <= LONGEST_NAME or not shown.isprintable():
            raise InvalidParameter("name", f"1 to {LONGEST_NAME} printable characters")
        token = new_token()
        key = Key(token.key_id, shown, role, digest_secret(token.secret), self._clock())
        with self._database.writing() as tx:
            self._keys.add(tx, key)
        return token

    def keys(self) -> Sequence[Key]:
        """Return all keys, the oldest first."""
        with self._database.reading() as tx:
            return self._keys.all(tx)

    def revoke(self, key_id: str) -> None:
        """Make a key useless for good. Raises KeyNotFound."""
        with self._database.writing() as tx:
            if not self._keys.revoke(tx, key_id, self._clock()):
                raise KeyNotFound(f"There is no working key '{key_id}'. 'albumen keys list' shows them.")

    def _load(self, token: Token) -> Key | None:
        with self._database.reading() as tx:
            key = self._keys.find(tx, token.key_id)
        if key is not None and key.admits(token.secret):
            self._use.note(key)
        return key
