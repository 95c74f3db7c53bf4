"""The viewer as it is built and committed, inside the one HTML file."""

from __future__ import annotations

import base64
from hashlib import sha256

import torch
import torchvision
from html_page import Page
from rendering import residual

import visuai
from visuai import viewer
from visuai.render.html import in_script


def test_its_script_ends_where_it_should() -> None:
    page = Page(str(residual().render("html")))
    assert page.tags()[-3:] == ["script", "script", "script"]
    script = page.text("script", type="module")
    assert script == in_script(viewer.read(viewer.SCRIPT).decode())
    assert len(script) > 100_000
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in str(page.elements[3][1]["content"])


def test_it_asks_nobody_for_anything() -> None:
    """Addresses in it are names (of namespaces, of licences), and not loaded.

    It follows runs with an EventSource of the server that it comes from. In one file it has none
    to ask, and the policy of that page forbids it.
    """
    policy = str(Page(str(residual().render("html"))).elements[3][1]["content"])
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    script = viewer.read(viewer.SCRIPT).decode()
    for loading in (
        "importScripts(",
        "new WebSocket",
        "navigator.sendBeacon",
    ):
        assert loading not in script
    assert "@import" not in viewer.read(viewer.STYLE).decode()


def test_resnet152_is_small_enough_to_mail() -> None:
    topology = visuai.build(torchvision.models.resnet152(), torch.zeros(1, 3, 224, 224))
    assert len(str(topology.render("html")).encode()) < 1_500_000


def test_licences_go_with_it() -> None:
    licences = Page(str(residual().render("html"))).text("script", id="visuai-licences")
    for name in ("react", "three", "zustand"):
        assert f"{name} " in licences
    assert licences.count("Permission is hereby granted") >= 3
