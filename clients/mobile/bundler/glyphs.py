"""Fonts: the icons that this client shows, out of 8,600, and emoji as the fallback of the text font."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

from engine import package_folder, web_folder

if TYPE_CHECKING:
    from pathlib import Path

# What Flutter's own widgets draw, beside what our code names.
OF_FLUTTER = (
    "arrow_back",
    "arrow_back_ios",
    "arrow_back_ios_new_rounded",
    "arrow_drop_down",
    "arrow_drop_up",
    "cancel",
    "check",
    "check_box",
    "check_box_outline_blank",
    "check_small",
    "chevron_left",
    "chevron_right",
    "clear",
    "close",
    "error",
    "expand_more",
    "indeterminate_check_box",
    "keyboard_arrow_down",
    "keyboard_arrow_up",
    "menu",
    "more_horiz",
    "more_vert",
    "radio_button_checked",
    "radio_button_unchecked",
    "search",
    "visibility",
    "visibility_off",
    "warning",
)
REGULAR = 400
_NAMED = re.compile(r"\bIcons\.([A-Z][A-Z0-9_]*)")
_STYLES = ("_OUTLINED", "_ROUNDED", "_SHARP")


def subset_icons(target: Path, package: Path) -> None:
    """Write the icons named in the sources of `package`, and those of Flutter's widgets, to `target`."""
    font = TTFont(web_folder() / "assets/fonts/MaterialIcons-Regular.otf")
    ours = {_glyph(name) for path in package.rglob("*.py") for name in _NAMED.findall(path.read_text("utf-8"))}
    known = set(font.getGlyphOrder())
    if unknown := ours - known:
        message = f"the icon font has no {', '.join(sorted(unknown))}"
        raise SystemExit(message)
    wanted = ours | {_glyph(name.upper()) for name in OF_FLUTTER}
    options = Options(glyph_names=False, layout_features=[], notdef_outline=True)
    subsetter = Subsetter(options)
    subsetter.populate(glyphs=sorted(wanted & known))
    subsetter.subset(font)
    font.save(target)


def write_fallback(target: Path) -> None:
    """Write Noto Emoji in its regular weight; it is loaded when a text has a sign that Roboto has not."""
    font = TTFont(package_folder("manimgx_fonts") / "NotoEmoji[wght].ttf")
    regular = instantiateVariableFont(font, {"wght": REGULAR})
    regular.flavor = "woff2"
    regular.save(target)


def _glyph(icon: str) -> str:
    """Return the glyph of an icon: ADD_OUTLINED is `add_outlined`, ADD alone `add_baseline`."""
    return icon.lower() if icon.endswith(_STYLES) else f"{icon.lower()}_baseline"
