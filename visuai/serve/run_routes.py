"""The routes of runs: which of their requests are answered, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from visuai.errors import VisuaiError
from visuai.serve.answers import Answers
from visuai.serve.curves import curve, scalars
from visuai.serve.events import events
from visuai.serve.opened import Opened
from visuai.serve.overview import overview
from visuai.serve.parcel import Parcel
from visuai.serve.question import (
    CHOICES,
    OF_MODULES,
    BadQuestion,
    columns_of,
    quantity_of,
    statistic_of,
    subject_of,
)
from visuai.serve.reply import as_json, sent
from visuai.serve.runs import Runs
from visuai.wire import packed, wire

Answer = Callable[[Answers, str, Opened, Request], Parcel]

_DIAGNOSING = 4.0
"""A live run is diagnosed so seldom that it takes a fifth of the time of a processor."""


def run_routes(runs: Runs) -> list[Route]:
    """Gives the routes under ``/api/runs``.

    Args:
        runs: The runs that there are.
    """
    answers = Answers()

    async def list_runs(request: Request) -> Response:
        return as_json(200, await run_in_threadpool(runs.entries))

    async def follow(request: Request) -> Response:
        key = request.path_params["key"]
        found = await run_in_threadpool(_refusal, runs, key)
        if found is not None:
            return found
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        stream = events(runs, key, request.app.state.ending)
        return StreamingResponse(stream, media_type="text/event-stream")

    def replying(answer: Answer) -> Callable[[Request], Any]:
        def reply(request: Request) -> Response:
            key = request.path_params["key"]
            try:
                with runs.reading(key) as opened:
                    found = answer(answers, key, opened, request)
            except BadQuestion as error:
                return as_json(400, {"error": str(error)})
            except _NoNetworkError:
                return as_json(404, {"error": "This run has no network; its events say why."})
            except LookupError:
                return as_json(404, {"error": "There is no such run, or it is gone."})
            except VisuaiError as error:
                return as_json(422, {"error": str(error)})
            return sent(request, found, "application/json")

        async def in_thread(request: Request) -> Response:
            return await run_in_threadpool(reply, request)

        return in_thread

    return [
        Route("/api/runs", list_runs),
        Route("/api/runs/{key}", replying(_about)),
        Route("/api/runs/{key}/network", replying(_network)),
        Route("/api/runs/{key}/overview", replying(_overview)),
        Route("/api/runs/{key}/series", replying(_series)),
        Route("/api/runs/{key}/scalars", replying(_scalars)),
        Route("/api/runs/{key}/diagnoses", replying(_diagnoses)),
        Route("/api/runs/{key}/events", follow),
    ]


def _refusal(runs: Runs, key: str) -> Response | None:
    """Tells why a run cannot be followed; None if it can be."""
    try:
        with runs.reading(key) as opened:
            opened.glance()
            return None
    except LookupError:
        return as_json(404, {"error": "There is no such run, or it is gone."})
    except VisuaiError as error:
        return as_json(422, {"error": str(error)})


def _about(answers: Answers, key: str, opened: Opened, request: Request) -> Parcel:
    live = opened.glance().is_live()
    return answers.get((key, "about"), (opened.version, live), lambda: _description(key, opened))


def _description(key: str, opened: Opened) -> dict[str, object]:
    with opened.run.snapshot():
        seen, contents, scalar_names = opened.glance(), opened.contents(), opened.run.scalars
    return {
        "id": key,
        "model": seen.model,
        "name": opened.run.id,
        "parameters": [
            {
                "fqn": name,
                "module": each.module,
                "shape": list(each.shape),
                "dtype": each.dtype,
                "quantities": list(contents.quantities["parameter", name]),
            }
            for name, each in contents.parameters.items()
        ],
        "modules": [
            {"fqn": name, "quantities": list(contents.quantities["module", name])}
            for name in contents.modules
        ],
        "scalars": list(scalar_names),
        "statistics": list(CHOICES),
        "first_step": seen.first_step,
        "last_step": seen.last_step,
        "records": seen.records,
        "live": seen.is_live(),
        "has_network": seen.has_network,
    }


class _NoNetworkError(LookupError):
    """There is a run, and its network was not captured, or is not yet."""


def _network(answers: Answers, key: str, opened: Opened, request: Request) -> Parcel:
    seen = opened.glance()
    if not seen.has_network:
        raise _NoNetworkError(key)
    return answers.get((key, "network"), (opened.number, seen.resumed), lambda: _packed(opened))


def _packed(opened: Opened) -> bytes:
    topology = opened.run.topology
    if topology is None:
        raise LookupError(opened.path)
    return packed(wire(topology))


def _overview(answers: Answers, key: str, opened: Opened, request: Request) -> Parcel:
    quantity = quantity_of(request.query_params)
    statistic = statistic_of(request.query_params, quantity)
    columns = columns_of(request.query_params, 400)
    return answers.get(
        (key, "overview", quantity, statistic, columns),
        (opened.number, opened.glance().state),
        lambda: overview(opened, quantity, statistic, columns),
    )


def _series(answers: Answers, key: str, opened: Opened, request: Request) -> Parcel:
    quantity = quantity_of(request.query_params)
    columns = columns_of(request.query_params, 2000)
    contents = opened.contents()
    known = contents.modules if quantity in OF_MODULES else contents.parameters
    subject = subject_of(request.query_params, known)
    return answers.get(
        (key, "series", quantity, subject, columns),
        (opened.number, opened.glance().state),
        lambda: curve(opened.run, subject, quantity, columns),
    )


def _scalars(answers: Answers, key: str, opened: Opened, request: Request) -> Parcel:
    return answers.get((key, "scalars"), opened.version, lambda: scalars(opened.run))


def _diagnoses(answers: Answers, key: str, opened: Opened, request: Request) -> Parcel:
    return answers.get(
        (key, "diagnoses"),
        opened.version,
        lambda: [each.to_dict() for each in opened.diagnose()],
        patience=_DIAGNOSING if opened.glance().is_live() else 0.0,
    )
