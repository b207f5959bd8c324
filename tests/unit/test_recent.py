"""The cache of values that may be a little old."""

import pytest

from albumen.services.recent import Recent


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


class Source:
    """Counts how often a value was loaded; each time it is another one."""

    def __init__(self):
        self.loads = 0

    def __call__(self):
        self.loads += 1
        return self.loads


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def recent(clock):
    return Recent(seconds=2, most=3, clock=clock)


def test_value_is_loaded_once_within_its_time(recent, clock):
    source = Source()
    assert recent.get("a", source) == 1
    clock.seconds += 1.9
    assert recent.get("a", source) == 1


def test_value_is_loaded_again_after_its_time(recent, clock):
    source = Source()
    recent.get("a", source)
    clock.seconds += 2
    assert recent.get("a", source) == 2


def test_reading_a_value_does_not_prolong_its_life(recent, clock):
    source = Source()
    for _ in range(3):
        recent.get("a", source)
        clock.seconds += 1
    assert source.loads == 2


def test_keys_have_values_of_their_own(recent):
    assert recent.get("a", lambda: "one") == "one"
    assert recent.get("b", lambda: "two") == "two"
    assert recent.get(("a", 1), lambda: "three") == "three"


def test_nothing_is_a_value_as_well(recent):
    source = Source()
    assert recent.get("a", lambda: None) is None
    assert recent.get("a", source) is None
    assert source.loads == 0


def test_failure_is_not_kept(recent):
    def fail():
        raise LookupError("not yet")

    with pytest.raises(LookupError):
        recent.get("a", fail)
    assert recent.get("a", lambda: "there") == "there"


def test_number_of_values_is_bounded(recent):
    for number in range(1000):
        recent.get(number, Source())
        assert len(recent._values) <= 3


def test_newest_value_is_kept_when_the_cache_overflows(recent):
    for number in range(4):
        recent.get(number, lambda: "first")
    assert recent.get(3, lambda: "second") == "first"
