"""docs/verify.md: each language's lines accept what we sign and refuse everything else."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdas.base import secrets
from lambdas.signing import Signer
from settings.paths import ROOT

_GUIDE = (ROOT / "docs" / "verify.md").read_text("utf-8")
_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
_OTHER = "whsec_" + base64.b64encode(bytes(24)).decode()

# What each program does around the guide's lines: it reads cases from its standard input, and
# prints a list of whether each was accepted.
_PROGRAMS = {
    "Python": """
{code}
import base64, json, sys
def accepted(case):
    try:
        verify(case["secret"], case["headers"], base64.b64decode(case["body"]))
        return True
    except Exception:
        return False
print(json.dumps([accepted(case) for case in json.load(sys.stdin)]))
""",
    "Node": """
{code}
const accepted = (delivery) => {{
  const body = Buffer.from(delivery.body, "base64");
  try {{ verify(delivery.secret, delivery.headers, body); return true; }}
  catch {{ return false; }}
}};
console.log(JSON.stringify(JSON.parse(require("fs").readFileSync(0)).map(accepted)));
""",
    "Go": """
package main
import ("crypto/hmac"; "crypto/sha256"; "encoding/base64"; "encoding/json"; "errors"; "fmt"
    "net/http"; "os"; "strconv"; "strings"; "time")
{code}
func main() {{
    var cases []struct {{ Secret string; Headers map[string]string; Body []byte }}
    if json.NewDecoder(os.Stdin).Decode(&cases) != nil {{ os.Exit(1) }}
    accepted := []bool{{}}
    for _, delivery := range cases {{
        header := http.Header{{}}
        for name, value := range delivery.Headers {{ header.Set(name, value) }}
        accepted = append(accepted, verify(delivery.Secret, header, delivery.Body) == nil)
    }}
    json.NewEncoder(os.Stdout).Encode(accepted)
}}
""",
    "Ruby": """
{code}
require "json"
answers = JSON.parse($stdin.read).map do |delivery|
  verify(delivery["secret"], delivery["headers"], delivery["body"].unpack1("m0"))
  true
rescue StandardError
  false
end
puts JSON.generate(answers)
""",
    "PHP": """<?php
{code}
$accepted = [];
foreach (json_decode(stream_get_contents(STDIN), true) as $delivery) {{
    try {{
        verify($delivery['secret'], $delivery['headers'], base64_decode($delivery['body']));
        $accepted[] = true;
    }} catch (Throwable) {{
        $accepted[] = false;
    }}
}}
echo json_encode($accepted);
""",
}
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "Python": (sys.executable,),
    "Node": ("node",),
    "Go": ("go", "run"),
    "Ruby": ("ruby",),
    "PHP": ("php",),
}
_SUFFIXES = {"Python": "py", "Node": "cjs", "Go": "go", "Ruby": "rb", "PHP": "php"}


class _Kept(secrets.Secrets):
    def get(self, arn: str, *, within: float) -> dict[str, str]:  # noqa: ARG002
        return {"current": _SECRET, "previous": _OTHER}


def _cases() -> list[tuple[str, dict[str, Any], bool]]:
    """Requests by what they show, and whether they are genuine."""
    signer = Signer("arn", _Kept())
    assert signer.prepared(within=1)
    now, body = int(time.time()), '{"text": "é"}'.encode()

    def case(
        secret: str = _SECRET, at: int = now, body: bytes = body, sent: bytes = body, **headers: str
    ) -> dict[str, Any]:
        signed = signer.headers("id-1", body, at=at)
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        return {
            "secret": secret,
            "headers": {k: v for k, v in {**signed, **changed}.items() if v},
            "body": base64.b64encode(sent).decode(),
        }

    unknown = "whsec_" + base64.b64encode(b"x" * 24).decode()
    return [
        ("current secret", case(), True),
        ("previous secret", case(secret=_OTHER), True),
        ("empty body", case(body=b"", sent=b""), True),
        ("slow by two minutes", case(at=now - 120), True),
        ("another secret", case(secret=unknown), False),
        ("another body", case(sent=body + b" "), False),
        ("another id", case(webhook_id="id-2"), False),
        ("another time", case(webhook_timestamp=str(now - 1)), False),
        ("too old", case(at=now - 400), False),
        ("too early", case(at=now + 400), False),
        ("no time", case(webhook_timestamp=""), False),
        ("no signature", case(webhook_signature=""), False),
        ("another version", case(webhook_signature="v2,AAAA"), False),
        ("no number", case(webhook_timestamp="soon"), False),
        ("not ASCII", case(webhook_signature="v1,é"), False),
    ]


def _blocks(language: str) -> list[str]:
    section = _GUIDE.partition(f"\n## {language}\n")[2].partition("\n## ")[0]
    return re.findall(r"(?ms)^```\w+\n(.*?)^```$", section)


def _accepted(language: str, code: str, cases: list[dict[str, Any]], folder: Path) -> list[bool]:
    program = folder / f"main.{_SUFFIXES[language]}"
    program.write_text(_PROGRAMS[language].format(code=code), "utf-8")
    environ = {**os.environ, "GOCACHE": str(folder / "cache"), "GOFLAGS": "-mod=mod"}
    environ |= {"NODE_PATH": str(ROOT / "node_modules"), "HOME": str(folder)}
    result = subprocess.run(
        [*_COMMANDS[language], str(program)], input=json.dumps(cases), capture_output=True,
        text=True, timeout=120, check=False, cwd=folder, env=environ,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    answers: list[bool] = json.loads(result.stdout)
    return answers


@pytest.mark.parametrize(
    "language",
    ["Python", "Node", pytest.param("Go", marks=pytest.mark.slow), "Ruby", "PHP"],
)
def test_lines_without_a_library(language: str, tmp_path: Path) -> None:
    """The lines accept what we sign, with either secret, and refuse whatever was changed."""
    _require(language)
    cases = _cases()
    answers = _accepted(language, _blocks(language)[1], [case for _, case, _ in cases], tmp_path)
    assert dict(zip([name for name, _, _ in cases], answers, strict=True)) == {
        name: genuine for name, _, genuine in cases
    }


@pytest.mark.parametrize("language", ["Python", "Node"])
def test_lines_with_the_library(language: str, tmp_path: Path) -> None:
    """The specification's own library accepts and refuses the same."""
    _require(language)
    if language == "Node" and not (ROOT / "node_modules" / "standardwebhooks").exists():
        pytest.skip("node_modules lacks standardwebhooks; run `make setup`")
    cases = _cases()
    answers = _accepted(language, _blocks(language)[0], [case for _, case, _ in cases], tmp_path)
    assert answers == [genuine for _, _, genuine in cases]


def test_every_language_is_tested() -> None:
    """Each language has lines with a library and lines without, ten or so, and nothing else."""
    for language in _PROGRAMS:
        library, plain = _blocks(language)
        assert "standard" in library.lower()
        assert len(plain.splitlines()) <= 18


def _require(language: str) -> None:
    command = _COMMANDS[language][0]
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed, and nothing else of the project needs it")
