"""Every word on the screen, in English and in Russian. Keys are the same in both; a test compares them.

A word with forms is a tuple: one, many in English; one, few, many in Russian (1 фото, 2 файла, 5 файлов).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from albumen_mobile.core.english import ENGLISH
from albumen_mobile.core.russian import RUSSIAN

if TYPE_CHECKING:
    from collections.abc import Mapping

Table = dict[str, str | tuple[str, ...]]
TABLES: Mapping[str, Table] = {"en": ENGLISH, "ru": RUSSIAN}
_TEENS = range(11, 15)
_FEW = range(2, 5)


class Words:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._table = TABLES[language]

    def __call__(self, key: str, **values: object) -> str:
        """Return a sentence with its gaps filled. Raises KeyError for a key that no table has."""
        text = self._table[key]
        return (text if isinstance(text, str) else text[-1]).format(**values)

    def count(self, key: str, number: int) -> str:
        """Return a number with its word in the right form."""
        forms = self._table[key]
        chosen = forms if isinstance(forms, str) else forms[self._form(number)]
        return chosen.format(n=self.number(number))

    def number(self, number: int) -> str:
        """Return a number with its thousands apart."""
        return f"{number:,}".replace(",", "\u00a0")

    def trouble(self, code: str, detail: str = "") -> str:
        """Tell what went wrong: our own sentence for a known code, else that of the server."""
        key = f"trouble_{code}"
        if key in self._table:
            return self(key)
        return detail or self("trouble_trouble")

    def size(self, number: int) -> str:
        """Return bytes as people read them, in powers of ten."""
        value, unit = float(number), 0
        units = self("units").split()
        while value >= 1000 and unit < len(units) - 1:  # noqa: PLR2004 - kilo
            value, unit = value / 1000, unit + 1
        text = f"{value:.0f}" if unit == 0 or value >= 10 else f"{value:.1f}"  # noqa: PLR2004 - two digits are enough
        return f"{self._decimal(text)} {units[unit]}"

    def seconds(self, value: float) -> str:
        """Return a duration: seconds with a tenth, or minutes and seconds."""
        if value < 60:  # noqa: PLR2004 - a minute
            return self("seconds", n=self._decimal(f"{value:.1f}"))
        minutes, seconds = divmod(round(value), 60)
        return self("minutes", m=minutes, s=f"{seconds:02}")

    def _decimal(self, text: str) -> str:
        return text.replace(".", self("decimal"))

    def _form(self, number: int) -> int:
        if self.language != "ru":
            return 0 if number == 1 else 1
        tail = number % 10
        if tail == 1 and number % 100 != _TEENS.start:
            return 0
        return 1 if tail in _FEW and number % 100 not in _TEENS else 2
