"""What a photo may cost before anything decodes it. Imports only errors."""

from __future__ import annotations

from dataclasses import dataclass

from albumen.errors import TooManyFrames, TooManyPixels


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest photo that is taken: `max_bytes` of file, `max_pixels` of any one picture in it, `max_frames`."""

    max_bytes: int = 200_000_000
    max_pixels: int = 200_000_000
    max_frames: int = 500

    def admit_size(self, width: int, height: int) -> None:
        """Raise ValueError for a picture without area, TooManyPixels for one over the limit."""
        if width < 1 or height < 1:
            raise ValueError(f"its header says {width} by {height} pixels, so there is no picture")
        pixels = width * height
        if pixels > self.max_pixels:
            detail = (
                f"The header says {width} by {height}, which is {pixels} pixels; at most {self.max_pixels} are taken."
            )
            raise TooManyPixels(detail, limit=self.max_pixels, pixels=pixels, width=width, height=height)

    def admit_frames(self, frames: int) -> None:
        """Raise TooManyFrames for a count over the limit; counting may have stopped there."""
        if frames > self.max_frames:
            detail = f"The photo has {frames} or more frames; at most {self.max_frames} are taken."
            raise TooManyFrames(detail, limit=self.max_frames)
