"""What is tested is what is deployed: the Lambda layer holds the library that the tests run."""

from __future__ import annotations

import re
from importlib.metadata import version

from settings.datadog import Datadog
from settings.paths import ROOT


def test_the_layer_is_the_tested_library() -> None:
    """A layer's version is its library's minor version: 8.130.0 is in layer 130.

    Source: datadog-lambda-python, ``scripts/publish_prod.sh``.
    """
    tested = version("datadog-lambda")
    layer = Datadog.model_fields["pythonLayerVersion"].default
    assert layer == int(tested.split(".")[1]), (
        f"the tests run datadog-lambda {tested}, but functions get layer {layer}: change the "
        "default of pythonLayerVersion in settings/datadog.py"
    )


def test_the_installed_library_is_the_pinned_one() -> None:
    """``make lock`` takes the newest release that the registry offers, and pins it."""
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert re.findall(r"^datadog-lambda==(\S+)", pins, re.MULTILINE) == [version("datadog-lambda")]
