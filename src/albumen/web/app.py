"""The application factory: blueprints, the gate before every view, and the middleware around Flask."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

from albumen.web import errors
from albumen.web.accel import Accel
from albumen.web.auth import Gate, needed_role, public
from albumen.web.bundle import installed_bundle
from albumen.web.conditions import drop_unreadable
from albumen.web.context import Context, attach, context
from albumen.web.cors import CrossOriginSharing
from albumen.web.delivery import Delivery
from albumen.web.ending import Ending
from albumen.web.fastpath import FastPath, Instant
from albumen.web.gauges import DecoderGauges
from albumen.web.observe import Observed, Observer, mark_route, shared_folder
from albumen.web.places import lay_out
from albumen.web.rates import REQUESTS, UPLOADS, open_rates, quota_headers
from albumen.web.routes.client import client
from albumen.web.routes.datasets import datasets
from albumen.web.routes.deliver import deliver
from albumen.web.routes.mobile import mobile
from albumen.web.routes.pages import pages
from albumen.web.routes.photos import photos
from albumen.web.routes.session import session
from albumen.web.routes.system import system
from albumen.web.routes.timeline import timeline
from albumen.web.routes.upload import upload

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from flask import Response

    from albumen.bootstrap import Services
    from albumen.config import Settings

MOST_JSON_BYTES = 2_000_000
UNCOUNTED = frozenset({"system.live", "system.ready"})


def create_app(services: Services) -> Flask:
    """Return the Flask application of one process; its `wsgi_app` carries the middleware."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_JSON_BYTES  # for bodies that Flask reads; photos never pass that way
    app.json = DefaultJSONProvider(app)
    app.json.sort_keys, app.json.ensure_ascii = False, False
    gate = Gate(services.access, services.settings)
    places = lay_out(services.settings)
    accel = Accel(services.settings.data) if services.settings.nginx_accel else None
    delivery = Delivery(services.photos, services.previews, services.access, places, accel)
    gauges = DecoderGauges(services.previews, services.settings.decode_processes)
    observer = Observer(access_log=services.settings.access_log, refresh=gauges.refresh)
    rates = open_rates(services.settings, shared_folder())
    instant = Instant(gate, delivery, observer, rates)
    wrapped_instant = _wrapped(cast("WSGIApplication", instant), services.settings)
    attach(app, Context(services, gate, delivery, observer, wrapped_instant, places, rates, installed_bundle()))
    for blueprint in (client, pages, mobile, upload, deliver, photos, timeline, datasets, session, system):
        app.register_blueprint(blueprint)
    static = f"{pages.name}.static"
    app.view_functions[static] = public(partial(app.view_functions[static]))
    app.before_request(lambda: drop_unreadable(request.environ))
    app.before_request(_authorise)
    app.after_request(_tell_quotas)
    errors.register(app)
    inner = FastPath(Ending(Observed(app.wsgi_app, observer)), instant)
    app.wsgi_app = _wrapped(inner, services.settings)  # type: ignore[method-assign, assignment]
    return app


def _authorise() -> None:
    """Count the request and ask the gate before every view; unknown routes go on to their 404."""
    if request.endpoint is not None:
        mark_route(request.environ, request.endpoint)
    _admit()
    if request.endpoint is None:
        return
    role = needed_role(current_app.view_functions[request.endpoint])
    if role is not None:
        context().gate.authorise(request.environ, role)


def _admit() -> None:
    """Count the request, unless it asks for the health of the server; an upload counts as such, too."""
    rates, names = context().rates, (REQUESTS, UPLOADS) if request.blueprint == upload.name else (REQUESTS,)
    if rates.are_set and request.endpoint not in UNCOUNTED:
        rates.admit(request.environ, context().gate.recognise(request.environ), *names)


def _tell_quotas(response: Response) -> Response:
    response.headers.extend(quota_headers(request.environ))
    return response


def _wrapped(application: WSGIApplication, settings: Settings) -> WSGIApplication:
    wrapped = application
    if settings.cors_origins:
        wrapped = CrossOriginSharing(wrapped, settings.cors_origins)
    if settings.proxy_hops:
        hops = settings.proxy_hops
        wrapped = ProxyFix(wrapped, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops)
    return wrapped
