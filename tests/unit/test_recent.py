"""The cache of values that may be a little old."""

import threading
from functools import partial

import pytest

from albumen.services.recent import NotKept, Recent, about_to_wait, never_wait


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


def test_a_value_that_is_loaded_again_pushes_no_other_out(recent, clock):
    sources = {key: Source() for key in "abc"}
    recent.get("a", sources["a"])
    clock.seconds += 1.5
    for key in "bc":
        recent.get(key, sources[key])
    clock.seconds += 1
    assert [recent.get(key, sources[key]) for key in "abc"] == [2, 1, 1]


def test_age_counts_from_before_a_slow_load(recent, clock):
    def load_slowly():
        clock.seconds += 1.5
        return "old"

    assert recent.get("a", load_slowly) == "old"
    clock.seconds += 0.6
    assert recent.get("a", lambda: "new") == "new"


class Hasty:
    """A thread that never waits; what it leaves to another one is done when the test wants it."""

    def __init__(self):
        self.left = []

    def run(self, function):
        """Return what the function returns, or the exception that it raises."""
        told = []

        def work():
            never_wait(self.left.append)
            try:
                told.append(function())
            except NotKept as exc:
                told.append(exc)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return told[0]

    def do_what_was_left(self):
        while self.left:
            self.left.pop()()


def test_a_thread_that_never_waits_gets_what_is_kept_and_loads_nothing(recent, clock):
    hasty, source = Hasty(), Source()
    assert isinstance(hasty.run(lambda: recent.get("a", source)), NotKept)
    recent.get("a", source)
    assert hasty.run(lambda: recent.get("a", source)) == 1
    clock.seconds += 2.1
    assert isinstance(hasty.run(lambda: recent.get("a", source)), NotKept)
    assert isinstance(hasty.run(about_to_wait), NotKept)
    assert source.loads == 1


def test_what_it_asks_for_is_loaded_anew_before_it_is_too_old(recent, clock):
    hasty, source = Hasty(), Source()
    recent.get("a", source)
    clock.seconds += 1.5
    assert [hasty.run(lambda: recent.get("a", source)) for _ in range(3)] == [1, 1, 1]
    assert len(hasty.left) == 1
    hasty.do_what_was_left()
    clock.seconds += 1
    assert hasty.run(lambda: recent.get("a", source)) == 2


def test_a_load_that_fails_elsewhere_is_tried_again_and_the_value_still_ends_in_time(recent, clock):
    def fail():
        raise OSError

    hasty = Hasty()
    recent.get("a", lambda: "kept")
    clock.seconds += 1.5
    for _ in range(2):
        assert hasty.run(lambda: recent.get("a", fail)) == "kept"
        with pytest.raises(OSError):  # noqa: PT011 - it has no message
            hasty.do_what_was_left()
    clock.seconds += 0.6
    assert isinstance(hasty.run(lambda: recent.get("a", fail)), NotKept)


def test_number_of_loads_left_to_another_thread_is_bounded(recent, clock):
    hasty = Hasty()
    for number in range(10):
        recent.get(number, Source())
        clock.seconds += 1.5
        hasty.run(partial(recent.get, number, Source()))
    assert len(hasty.left) == 3


def test_a_load_for_which_there_is_no_thread_is_tried_again(recent, clock):
    def refuse(_function):
        raise RuntimeError("can't start new thread")

    def ask(elsewhere):
        never_wait(elsewhere)
        told.append(recent.get("a", Source()))

    told, left = [], []
    recent.get("a", Source())
    clock.seconds += 1.5
    for elsewhere in (refuse, left.append):
        thread = threading.Thread(target=ask, args=(elsewhere,))
        thread.start()
        thread.join()
    assert (told, len(left)) == ([1, 1], 1)


def test_a_thread_that_may_wait_leaves_nothing_to_another(recent, clock):
    source = Source()
    recent.get("a", source)
    clock.seconds += 1.9
    assert recent.get("a", source) == 1
    clock.seconds += 0.2
    assert recent.get("a", source) == 2
