"""The app: which requests are answered, and how."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from visuai import viewer
from visuai.errors import VisuaiError
from visuai.serve.guard import Guard
from visuai.serve.headers import Headers
from visuai.serve.page import page
from visuai.serve.parcel import Parcels, parcel
from visuai.serve.reply import as_json, sent
from visuai.serve.run_routes import run_routes
from visuai.serve.runs import Runs
from visuai.serve.shelf import Shelf

_TYPES = {viewer.SCRIPT: "text/javascript", viewer.STYLE: "text/css"}


def app(
    shelf: Shelf,
    port: int,
    *,
    title: str = "Visuai",
    mount: str | None = None,
    first: Sequence[str] = (),
    runs: Runs | None = None,
) -> Starlette:
    """Makes the app.

    Args:
        shelf: The networks that it shows.
        port: The port that it is served on, which requests must name.
        title: What the browser's tab says.
        mount: The element for the viewer; see `visuai.viewer.mount`.
        first: Ids of one network, or of two to compare, that the viewer will ask for at once:
            they are packed while the browser starts.
        runs: The recorded runs that it shows.

    Raises:
        VisuaiError: If the viewer is not built.
    """
    parcels = Parcels(shelf)
    files = {name: parcel(gzip.compress(viewer.read(name), 9, mtime=0)) for name in _TYPES}
    home = parcel(gzip.compress(page(title, mount or viewer.mount()).encode(), 9, mtime=0))

    async def show_page(request: Request) -> Response:
        return sent(request, home, "text/html; charset=utf-8")

    async def show_file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in files:
            return as_json(404, {"error": "The viewer has no such file."})
        return sent(request, files[name], f"{_TYPES[name]}; charset=utf-8")

    async def list_networks(request: Request) -> Response:
        return as_json(200, await run_in_threadpool(shelf.entries))

    async def give_network(request: Request) -> Response:
        key, other = request.path_params["key"], request.path_params.get("other")
        try:
            found = await run_in_threadpool(parcels.get, key, other)
        except LookupError:
            return as_json(404, {"error": "There is no such network, or it is gone."})
        except VisuaiError as error:
            return as_json(422, {"error": str(error)})
        return sent(request, found, "application/json")

    routes: dict[str, Callable[..., object]] = {
        "/": show_page,
        "/static/{name}": show_file,
        "/api/networks": list_networks,
        "/api/networks/{key}": give_network,
        "/api/networks/{key}/compare/{other}": give_network,
    }
    made = Starlette(
        routes=[
            *(Route(path, answer) for path, answer in routes.items()),
            *run_routes(runs or Runs(None)),
        ],
        middleware=[Middleware(Headers), Middleware(Guard, port=port)],
    )
    made.router.redirect_slashes = False
    made.state.ending = lambda: False  # who serves it says when streams are to end
    if first:
        Thread(target=_pack, args=(parcels, *first), name="visuai-pack", daemon=True).start()
    return made


def _pack(parcels: Parcels, *ids: str) -> None:
    with suppress(LookupError, VisuaiError):  # told when it is asked for
        parcels.get(*ids)
