"""What can go wrong between the client and the server.

Trouble
├── Unreachable    no answer: no network, a wrong address, a server that is down
├── NotAlbumen     something answers, but not Albumen
└── Refused        Albumen answered with an error of its own
"""

from __future__ import annotations

LATER = frozenset({408, 425, 429, 500, 502, 503, 504, 507})


class Trouble(Exception):
    """Base of all troubles; `code` is a key of the words."""

    code = "trouble"


class Unreachable(Trouble):
    """No answer came."""

    code = "unreachable"


class NotAlbumen(Trouble):
    """The answer is not one of Albumen's."""

    code = "not_albumen"


class Refused(Trouble):
    """Albumen refused. `detail` is its own sentence, in English."""

    def __init__(self, status: int, code: str, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = retry_after

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in LATER

    @property
    def is_about_access(self) -> bool:
        """Whether another key would help."""
        return self.status in {401, 403}
