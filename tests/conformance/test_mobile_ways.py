"""Both transports of the mobile client keep one contract against a real server: httpx here, fetch inside Chromium.

For the browser the bundle's own Pyodide is started in a page of the server, with the bundle's own archive of the
client; the suite runs in there.
"""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

import ways
from albumen.bootstrap import build, prepare
from albumen.config import load_settings
from albumen.domain import times
from albumen.repository.datasets import DatasetRepository
from albumen.services.listing import MOST_PER_PAGE
from albumen_mobile.core.api import Api
from albumen_mobile.core.troubles import NotAlbumen, Refused, Unreachable
from albumen_mobile.transport.native import NativeFile, NativeTransport
from conftest import running
from loops import finished
from pictures import jpeg

pytestmark = pytest.mark.direct

NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens
START = """async ([folder, source]) => {
  const { loadPyodide } = await import(`${folder}/pyodide/pyodide.mjs`);
  const python = await loadPyodide();
  const archive = await fetch(`${folder}/app.tar.gz`);
  await python.unpackArchive(await archive.arrayBuffer(), "gztar");
  python.FS.writeFile("ways.py", source);
  python.runPython(`
import sys
sys.path[:0] = ["", "__pypackages__"]
import js, ways
from albumen_mobile.transport.browser import BrowserFile, BrowserTransport
from pyodide.ffi import to_js

def chosen(name, content):
    file = js.File.new(to_js([content]), name)
    return BrowserFile(file.name, file.size, file)

async def run(case, server, astray, dataset, photo):
    way = ways.Way(BrowserTransport(server), dataset, photo.to_bytes(), chosen, BrowserTransport(astray))
    await getattr(ways, case)(way)
`);
  globalThis.python = python;
}"""
RUN = """async ([name, server, astray, dataset, photo]) => {
  const run = python.globals.get("run");
  try {
    await run(name, server, astray, dataset, Uint8Array.from(photo));
    return "";
  } catch (error) {
    return String(error);
  }
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory, mobile_client):
    """A server whose datasets fill more than a page, before those of the cases."""
    data = tmp_path_factory.mktemp("ways") / "data"
    _fill_a_page_of_datasets(data)
    with running(data, ALBUMEN_DERIVE="false", **mobile_client) as started:
        yield started


def _fill_a_page_of_datasets(data):
    settings = load_settings({"data": data})
    prepare(settings)
    services = build(settings)
    with services.database.writing() as tx:
        for number in range(MOST_PER_PAGE):
            DatasetRepository().add(tx, f"a-{number}", "A", times.now())
    services.close()


@pytest.fixture(scope="module")
def inside(browser, server):
    """A page of the server in which Pyodide holds the suite."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(180_000)
    page.goto(f"{server.url}/mobile/nothing")
    folder = re.search(r'"([0-9a-f]{16})/start.js"', context.request.get(f"{server.url}/mobile/").text())[1]
    page.evaluate(START, [f"{server.url}/mobile/{folder}", Path(ways.__file__).read_text("utf-8")])
    yield page
    context.close()


@pytest.mark.parametrize("case", ways.CASES, ids=lambda case: case.__name__)
def test_native_way(case, server, tmp_path):
    def chosen(name, content):
        path = tmp_path / uuid.uuid4().hex
        path.write_bytes(content)
        return NativeFile(name, len(content), path)

    async def run():
        there, astray = NativeTransport(server.url), NativeTransport(NOWHERE)
        await case(ways.Way(there, f"set-{uuid.uuid4().hex}", jpeg(320, 240), chosen, astray))
        await there.close()
        await astray.close()

    finished(run())


@pytest.mark.parametrize("case", ways.CASES, ids=lambda case: case.__name__)
def test_way_inside_a_browser(case, server, inside):
    photo = list(jpeg(320, 240))
    assert not inside.evaluate(RUN, [case.__name__, server.url, NOWHERE, f"set-{uuid.uuid4().hex}", photo])


def test_native_way_sends_its_key_and_needs_the_bytes_of_pictures(tmp_path):
    with running(tmp_path / "data", ALBUMEN_DERIVE="false") as locked:
        command = [sys.executable, "-m", "albumen", "keys", "create", "phone", "--role", "editor", "--data"]
        made = subprocess.run([*command, str(locked.data)], capture_output=True, check=True, text=True, timeout=60)
        key = made.stdout.strip()

        async def run():
            keyed, strange = NativeTransport(locked.url, key), NativeTransport(locked.url, "alb_wrong")
            assert (await Api(keyed).session()).may_add
            assert Api(keyed).address("0", 256) is None
            assert (await Api(strange).session()).role is None
            with pytest.raises(Refused):
                await Api(strange).photos(dataset="main")
            await keyed.close()
            await strange.close()

        finished(run())


def test_native_way_tells_a_wrong_server_from_none(server):
    async def ask(address):
        transport = NativeTransport(address)
        try:
            await Api(transport).session()
        finally:
            await transport.close()

    with pytest.raises(NotAlbumen):
        finished(ask(f"{server.url}/static"))
    with pytest.raises(Unreachable):
        finished(ask(NOWHERE))
