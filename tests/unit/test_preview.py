"""Pictures of a photo: upright, in sRGB, within the box and without metadata."""

from io import BytesIO

import pytest
import pyvips
from PIL import Image, ImageChops, ImageCms, ImageStat

import pictures
from albumen.domain.previews import FORMATS, PRESETS
from albumen.imaging import preview

MAKERS = {
    "image/jpeg": pictures.jpeg,
    "image/png": pictures.png,
    "image/webp": pictures.webp,
    "image/gif": pictures.gif,
    "image/tiff": pictures.tiff,
    "image/bmp": pictures.bmp,
    "image/avif": pictures.avif,
    "image/heic": pictures.heic,
}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="red"/></svg>'


@pytest.fixture
def show(tmp_path):
    """Return a function that renders bytes and opens the encoded preview with Pillow."""

    def show(data, media_type, size=256, name="jpeg"):
        return Image.open(BytesIO(preview.encode(_render(tmp_path, data, media_type, size), name)))

    return show


def _render(folder, data, media_type, size):
    source = folder / "photo"
    source.write_bytes(data)
    return preview.render(source, media_type, [size])[size]


def _save(image, kind, **options):
    target = BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def _is_near(seen, wanted, tolerance):
    return all(abs(one - other) <= tolerance for one, other in zip(seen, wanted, strict=True))


def _looks_like(seen, wanted, tolerance=14):
    return max(ImageStat.Stat(ImageChops.difference(seen, wanted.convert("RGB"))).mean) <= tolerance


def _profile(name):
    return bytes(pyvips.Operation.call("profile_load", name))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photo_stands_upright_for_every_exif_orientation(show, orientation):
    shown = show(pictures.oriented(orientation), "image/jpeg", 48)
    assert shown.size == (48, 32)
    corners = [shown.getpixel(at) for at in ((12, 8), (36, 8), (12, 24), (36, 24))]
    wanted = [pictures.RED, pictures.GREEN, pictures.BLUE, pictures.WHITE]
    assert all(_is_near(*pair, 40) for pair in zip(corners, wanted, strict=True))


@pytest.mark.parametrize("media_type", ["image/png", "image/webp", "image/tiff", "image/avif", "image/heic"])
def test_orientation_counts_in_every_format_that_has_one(show, media_type):
    assert show(MAKERS[media_type](64, 48, orientation=6), media_type).size == (48, 64)


@pytest.mark.parametrize("media_type", MAKERS)
def test_every_format_shows_the_picture(show, media_type):
    shown = show(MAKERS[media_type](64, 48, seed=3), media_type)
    assert shown.mode == "RGB"
    assert shown.size == (64, 48)
    assert _looks_like(shown, pictures.picture(64, 48, seed=3, mode="P" if media_type == "image/gif" else "RGB"))


@pytest.mark.parametrize(
    ("media_type", "mode"),
    [("image/jpeg", mode) for mode in ("L", "RGB", "CMYK")]
    + [("image/png", mode) for mode in ("1", "L", "P", "RGB", "I;16")]
    + [("image/tiff", mode) for mode in ("1", "L", "P", "RGB", "CMYK", "I;16")]
    + [("image/bmp", mode) for mode in ("1", "L", "P", "RGB")],
)
def test_every_kind_of_pixel_becomes_rgb(show, media_type, mode):
    shown = show(MAKERS[media_type](64, 48, seed=5, mode=mode), media_type)
    assert shown.mode == "RGB"
    plain = pictures.picture(64, 48, seed=5, mode="L" if mode == "I;16" else mode)
    # CMYK without a profile is read as press colours, not by Pillow's plain inversion.
    assert _looks_like(shown, plain, 60 if mode == "CMYK" else 14)


def test_sixteen_bits_per_colour_become_eight(show):
    pixels = pyvips.Image.black(64, 48, bands=3).linear(1, [65535, 32896, 0]).cast("ushort")
    data = pixels.copy(interpretation="rgb16").pngsave_buffer(bitdepth=16)
    assert _is_near(show(data, "image/png").getpixel((30, 20)), (255, 128, 0), 3)


def test_cmyk_goes_through_its_own_profile(show):
    profile = _profile("cmyk")
    data = _save(Image.new("CMYK", (64, 48), (0, 255, 255, 0)), "JPEG", quality=95, icc_profile=profile)
    red, green, blue = show(data, "image/jpeg").getpixel((30, 20))
    assert red > 200
    assert green < 80
    assert blue < 80


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/webp"])
def test_wide_colours_become_srgb(show, media_type):
    stored = Image.new("RGB", (64, 48), (234, 51, 35))  # pure sRGB red as Display P3 writes it
    kind = media_type.removeprefix("image/").upper()
    data = _save(stored, kind, quality=100, icc_profile=_profile("p3"))
    shown = show(data, media_type, name="webp")
    assert _is_near(shown.getpixel((30, 20)), (255, 0, 0), 8)


def test_profile_of_another_colour_space_or_a_broken_one_is_passed_over(show):
    for profile in (_profile("cmyk"), b"no profile at all", _profile("p3")[:200]):
        data = _save(Image.new("RGB", (64, 48), (200, 100, 50)), "JPEG", quality=95, icc_profile=profile)
        assert _is_near(show(data, "image/jpeg").getpixel((30, 20)), (200, 100, 50), 6)


def test_grey_photo_with_a_colour_profile_is_shown(show):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = _save(Image.new("L", (64, 48), 128), "JPEG", quality=95, icc_profile=srgb)
    assert _is_near(show(data, "image/jpeg").getpixel((30, 20)), (128, 128, 128), 4)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_lies_on_white_in_jpeg_and_stays_in_the_others(show, mode):
    data = pictures.png(64, 48, mode=mode)
    assert _is_near(show(data, "image/png").getpixel((30, 0)), (255, 255, 255), 12)
    for name in ("webp", "avif"):
        shown = show(data, "image/png", name=name)
        assert shown.mode == "RGBA"
        assert shown.getchannel("A").getextrema()[0] < 8


def test_palette_with_transparency_keeps_it(show):
    image = Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    shown = show(_save(image, "PNG", transparency=0), "image/png", name="webp")
    assert shown.getpixel((4, 4))[3] == 0


@pytest.mark.parametrize("media_type", ["image/gif", "image/webp", "image/png", "image/avif"])
def test_animation_shows_its_first_frame(show, media_type):
    shown = show(MAKERS[media_type](64, 48, seed=7, frames=3), media_type)
    assert shown.size == (64, 48)
    assert _looks_like(shown, pictures.picture(64, 48, seed=7, mode="P" if media_type == "image/gif" else "RGB"))


def test_first_page_of_a_tiff_is_shown(show):
    shown = show(pictures.tiff(64, 48, seed=7, pages=3), "image/tiff")
    assert _looks_like(shown, pictures.picture(64, 48, seed=7))


@pytest.mark.parametrize(
    ("width", "height", "shown_size"), [(640, 480, (256, 192)), (480, 640, (192, 256)), (900, 3, (256, 1))]
)
def test_preview_fits_into_the_box(show, width, height, shown_size):
    assert show(pictures.jpeg(width, height), "image/jpeg").size == shown_size


@pytest.mark.parametrize("media_type", MAKERS)
def test_small_photo_is_never_enlarged(show, media_type):
    assert show(MAKERS[media_type](40, 30), media_type, 2048).size == (40, 30)


def test_one_decoding_gives_every_size(tmp_path):
    source = tmp_path / "photo"
    source.write_bytes(pictures.jpeg(1600, 1200, orientation=6))
    sizes = preview.render(source, "image/jpeg", [256, 1024, 32, 256])
    assert {size: (picture.width, picture.height) for size, picture in sizes.items()} == {
        1024: (768, 1024),
        256: (192, 256),
        32: (24, 32),
    }


@pytest.mark.parametrize(
    ("side", "steps"), [(4000, (8, 4, 2, 1)), (4096, (8, 4, 2, 1)), (3800, (4, 2, 1, 1)), (900, (1,) * 4)]
)
def test_photo_of_a_phone_is_shrunk_while_decoding_as_far_as_a_slightly_larger_one(side, steps):
    assert tuple(preview.jpeg_step(side, size) for size in PRESETS) == steps


@pytest.mark.parametrize("size", [80, 160, 320, 640])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_photo_shrunk_while_decoding_shows_the_same_picture(show, mode, size):
    shown = show(pictures.jpeg(1280, 960, seed=5, mode=mode), "image/jpeg", size)
    assert shown.size == (size, size * 3 // 4)
    plain = pictures.picture(1280, 960, seed=5, mode=mode).convert("RGB").resize(shown.size)
    assert _looks_like(shown, plain, 60 if mode == "CMYK" else 4)


@pytest.mark.parametrize("size", [80, 160, 320])
def test_photo_shrunk_while_decoding_stands_upright(show, size):
    upright = show(pictures.jpeg(1280, 960, seed=5), "image/jpeg", size)
    turned = show(pictures.jpeg(1280, 960, seed=5, orientation=6), "image/jpeg", size)
    assert _looks_like(turned, upright.transpose(Image.Transpose.ROTATE_270), 5)


@pytest.mark.parametrize("size", [80, 160, 320])
def test_cut_off_photo_that_is_shrunk_while_decoding_gives_no_preview(tmp_path, size):
    with pytest.raises(pyvips.Error):
        _render(tmp_path, pictures.truncate(pictures.jpeg(1280, 960), 0.9), "image/jpeg", size)


@pytest.mark.parametrize("name", FORMATS)
def test_preview_is_of_the_format_that_was_asked(show, name):
    assert Image.MIME[show(pictures.jpeg(), "image/jpeg", name=name).format] == FORMATS[name]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/webp", "image/heic"])
def test_preview_carries_no_metadata(tmp_path, media_type, name):
    exif = Image.Exif()
    exif[0x010F] = "SecretMake"
    exif.get_ifd(0x8825).update({1: "N", 2: (59.0, 56.0, 2.0), 3: "E", 4: (30.0, 18.0, 31.0)})
    data = MAKERS[media_type](exif=exif)
    assert b"SecretMake" in data
    encoded = preview.encode(_render(tmp_path, data, media_type, 256), name)
    shown = Image.open(BytesIO(encoded))
    assert not dict(shown.getexif())
    assert {"icc_profile", "exif", "xmp"}.isdisjoint(shown.info)
    assert not any(mark in encoded for mark in (b"SecretMake", b"Exif", b"EXIF", b"ICC_PROFILE", b"ICCP"))


@pytest.mark.parametrize("stated", MAKERS)
def test_photo_is_read_as_its_stated_type_or_not_at_all(tmp_path, stated):
    for real, make in MAKERS.items():
        if real != stated:
            with pytest.raises(Exception):  # noqa: B017, PT011 - each library raises its own kind
                _render(tmp_path, make(), stated, 256)


@pytest.mark.parametrize("stated", [*MAKERS, "image/svg+xml", "application/pdf"])
def test_other_formats_reach_no_decoder(tmp_path, stated):
    for data in (SVG, b"%PDF-1.4\n", b"P6 1 1 255 abc", b"GIF89a", b""):
        with pytest.raises(Exception):  # noqa: B017, PT011 - each library raises its own kind
            _render(tmp_path, data, stated, 256)


@pytest.mark.parametrize("media_type", sorted(set(MAKERS) - {"image/bmp"}))
def test_cut_off_photo_gives_no_preview(tmp_path, media_type):
    data = pictures.truncate(MAKERS[media_type](256, 192), 0.6)
    with pytest.raises(Exception):  # noqa: B017, PT011 - each library raises its own kind
        _render(tmp_path, data, media_type, 256)


def test_data_after_the_end_of_a_photo_does_not_matter(show):
    assert show(pictures.jpeg() + bytes(1000), "image/jpeg").size == (64, 48)


def test_name_that_looks_like_options_is_only_a_name(tmp_path):
    source = tmp_path / "photo.jpg[shrink=8]"
    source.write_bytes(pictures.jpeg())
    assert preview.render(source, "image/jpeg", [256])[256].width == 64
