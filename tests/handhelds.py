"""The mobile client as an app runs it, on this machine: real screens, real httpx, and a display that nobody sees.

`Handheld` answers what the Flutter side would: preferences, network, routes. Controls are found by what they show.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import flet as ft
import msgpack
from flet.controls.context import _context_page
from flet.messaging.connection import Connection
from flet.messaging.protocol import MessageAction, configure_encode_object_for_msgpack
from flet.messaging.session import Session
from flet.pubsub.pubsub_hub import PubSubHub

from albumen_mobile.screens.app import App

PATIENCE_SECONDS = 60
PARTS = ("controls", "content", "appbar", "title", "subtitle", "actions", "floating_action_button", "trailing", "items")


class Handheld(Connection):
    """A device with one app on it."""

    def __init__(self):
        super().__init__()
        self.page_url = "app:"
        self.loop = asyncio.get_running_loop()
        self.executor = ThreadPoolExecutor(1)
        self.pubsubhub = PubSubHub(self.loop, self.executor)
        self.kept = {}
        self.network = ["wifi"]
        self.session = Session(self)
        self.page = self.session.page
        self.page.route = "/"
        self._tasks = set()

    def send_message(self, message):
        self._encode([message.action, message.body])
        if message.action == MessageAction.INVOKE_METHOD:
            self._answer(message.body)

    async def start(self):
        _context_page.set(self.page)
        self.app = App(self.page)
        self._encode(self.session.get_page_patch())
        await self.app.start()

    def shown(self):
        """Every control of the topmost screen."""
        return list(_walk(self.page.views[-1]))

    def texts(self):
        found = [getattr(control, "value", None) for control in self.shown() if isinstance(control, ft.Text)]
        return " ".join(str(text) for text in found if text)

    def field(self, label):
        return next(one for one in self.shown() if isinstance(one, ft.TextField) and one.label == label)

    async def press(self, label):
        button = next(one for one in self.shown() if isinstance(one, ft.Button) and one.content == label)
        await self.session.dispatch_event(button._i, "click", None)

    async def choose(self, *paths):
        """Choose files as the picker of a phone hands them over."""
        files = [
            {"id": number, "name": path.name, "size": path.stat().st_size, "path": str(path), "bytes": None}
            for number, path in enumerate(paths)
        ]
        await self.session.dispatch_event(self.app.picker._i, "result", {"files": files})

    async def until(self, condition):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.texts()
            await asyncio.sleep(0.02)

    def _encode(self, value):
        """Encode as for a client: on the way controls learn where they belong."""
        msgpack.packb(value, default=configure_encode_object_for_msgpack(ft.BaseControl))

    def _answer(self, body):
        results = {
            "get": lambda: self.kept.get(body.args.get("key")),
            "set": lambda: self.kept.update({body.args.get("key"): body.args.get("value")}) or True,
            "get_connectivity": lambda: self.network,
        }
        result = results.get(body.name, lambda: None)()
        self.loop.call_soon(self.session.handle_invoke_method_results, body.control_id, body.call_id, result, None)
        if body.name == "push_route":
            self.page.route = body.args["route"]
            event = self.session.dispatch_event(self.page._i, "route_change", {"route": body.args["route"]})
            self._tasks.add(self.loop.create_task(event))


def _walk(control):
    yield control
    for name in PARTS:
        value = getattr(control, name, None)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, ft.BaseControl):
                yield from _walk(one)
