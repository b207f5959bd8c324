"""Those who import the package get its types."""

from importlib.resources import files


def test_package_says_that_it_is_typed():
    assert files("albumen").joinpath("py.typed").is_file()
