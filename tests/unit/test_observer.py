"""Answers of the fast path are counted once each, whoever adds them up."""

from concurrent.futures import ThreadPoolExecutor

from structlog.testing import capture_logs

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


def test_a_path_cannot_give_orders_to_the_terminal_that_shows_the_log():
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/a b/\x1b[2J\x9b/\xd0\xaf"}
    with capture_logs() as logged:
        Observer(access_log=True).note(environ, "404 Not Found", 0.0)
    assert [line["path"] for line in logged] == ["/a%20b/%1B%5B2J%9B/%D0%AF"]
