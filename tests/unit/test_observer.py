"""Answers of the fast path are counted once each, whoever adds them up."""

from concurrent.futures import ThreadPoolExecutor

from albumen.web.observe import FAST_ROUTE, REQUESTS, Observer


def counted():
    return REQUESTS.labels("HEAD", FAST_ROUTE, "299")._value.get()


def test_answers_noted_and_added_up_by_several_threads_are_each_counted_once():
    observer, before = Observer(access_log=False), counted()

    def note_and_add_up(_):
        for _ in range(500):
            observer.note_fast({"REQUEST_METHOD": "HEAD"}, "299 Fine", 0.0)
            observer.add_up()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(note_and_add_up, range(4)))
    observer.add_up()
    assert counted() - before == 2000
