"""Settings of sources: what is wrong is named, and who may send has to be decided."""

from __future__ import annotations

from typing import Any

import pytest

from settings import exposure, loader
from settings.errors import SettingsError
from settings.sources import Source, entries
from tests.settings.test_schema import _file, _problem

_GITHUB: dict[str, Any] = {"name": "github", "paths": ["/github"]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sources": []}, "key 'sources': list should have at least 1 item"),
        ({"sources": [{}]}, "key 'sources.0.name': missing"),
        ({"sources": [{**_GITHUB, "path": "/x"}]}, "key 'sources.0.path': unknown"),
        ({"sources": [{**_GITHUB, "paths": ["x"]}]}, "key 'sources.0.paths.0': 'x' is not a path"),
        (
            {"sources": [{**_GITHUB, "methods": ["SEND"]}]},
            "key 'sources.0.methods.0': input should",
        ),
        (
            {"sources": [{**_GITHUB, "paths": ["/webhook-buffer/x"]}]},
            "key 'sources.0.paths.0': '/webhook-buffer/x' is below /webhook-buffer/",
        ),
        (
            {"sources": [_GITHUB, {"name": "other", "paths": ["/x", "/github"]}]},
            "key 'sources.1.paths': '/github' also belongs to source 'github', and neither",
        ),
        ({"sources": [_GITHUB, _GITHUB]}, "key 'sources': two are called 'github'"),
        (
            {"sources": [{**_GITHUB, "paths": ["/ping"]}]},
            "key 'sources.0.paths': API Gateway answers /ping by itself",
        ),
        (
            {"sources": [{**_GITHUB, "allowedIps": ["10.0.0.1/8"]}]},
            "key 'sources.0.allowedIps.0': '10.0.0.1/8' is not a network",
        ),
        (
            {"sources": [{**_GITHUB, "answer": {"status": 204, "body": "ok"}}]},
            "key 'sources.0.answer': a 204 has no body",
        ),
        (
            {"sources": [{**_GITHUB, "answer": {"status": 302}}]},
            "key 'sources.0.answer.status': input should be less than or equal to 299",
        ),
        (
            {"sources": [{**_GITHUB, "backend_url": "https://x/?a"}]},
            "key 'sources.0.backend_url': must not hold a query",
        ),
        (
            {"sources": [_GITHUB], "openToEveryone": True},
            "key 'openToEveryone': true while sources",
        ),
        ({"pathPrefix": "/hooks/"}, "key 'pathPrefix': is not a path such as"),
        ({"pathPrefix": "/a/.."}, "key 'pathPrefix': '/a/..' can't be matched"),
        (
            {"existing": {"queues": [{"name": "a"}]}, "backend_url": None, "sources": [_GITHUB]},
            "key 'sources': set while existing is",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Any, changes: dict[str, Any], expected: str) -> None:
    """File, environment, key and remedy stand in the error."""
    assert f"cdk.json: environment 'dev': {expected}" in _problem(tmp_path, **changes)


def test_reserved_paths_are_free_below_a_prefix(tmp_path: Any) -> None:
    """What API Gateway keeps at the root can be used below a prefix."""
    file = _file(tmp_path, sources=[{**_GITHUB, "paths": ["/ping"]}], pathPrefix="/hooks")
    assert loader.load("dev", file=file).pathPrefix == "/hooks"


@pytest.mark.parametrize(
    ("changes", "allowed", "noticed"),
    [
        ({}, False, True),
        ({"openToEveryone": True}, True, True),
        ({"backend_url": None, "create_faux_backend": True}, True, True),
        ({"awsAccount": "000000000000"}, True, False),
        ({"sources": [_GITHUB]}, True, False),
        ({"existing": {"queues": [{"name": "a"}]}, "backend_url": None}, True, False),
    ],
)
def test_anybody_may_send_only_where_settings_say_so(
    tmp_path: Any, changes: dict[str, Any], allowed: bool, noticed: bool
) -> None:
    """Without sources an environment is deployed for practice or by name; on AWS it is noticed."""
    settings = loader.load("dev", file=_file(tmp_path, **changes))
    assert bool(exposure.notices(settings)) is noticed
    if allowed:
        exposure.require_allowed(settings)
    else:
        with pytest.raises(
            SettingsError, match=r"'sources': missing, so that anybody .* openToEve"
        ):
            exposure.require_allowed(settings)


def test_forty_sources_are_more_than_an_environment_holds() -> None:
    """As many sources as settings take are beyond Lambda's 4 KB, so they travel as a file."""
    many = [
        {
            "name": f"source-{number}",
            "paths": [f"/hooks/{number}/*"],
            "allowedIps": [f"10.{number}.{third}.0/24" for third in range(30)],
            "groupId": ["json:data.object.id"],
        }
        for number in range(40)
    ]
    validated = [Source.model_validate(source) for source in many]
    assert len(str(entries(validated))) > 4096
    assert [entry["name"] for entry in entries(validated)] == [source["name"] for source in many]


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:secretsmanager:us-east-1:222222222222:secret:x", "lacks the six characters"),
        ("arn:aws:secretsmanager:eu-west-1:222222222222:secret:x-AbCdEf", "not in us-east-1"),
        ("whsec_c2VjcmV0", "is not the ARN of a Secrets Manager secret (it is not shown)"),
    ],
)
def test_a_signing_secret_that_can_not_be_read(arn: str, expected: str) -> None:
    """A secret that subscribe could not read is refused by its key, and never shown."""
    with pytest.raises(SettingsError) as refused:
        loader.load("stg", overrides={"signing": {"secretArn": arn}})
    assert "'signing.secretArn'" in str(refused.value)
    assert expected in str(refused.value)
    assert "c2VjcmV0" not in str(refused.value)


def test_anybody_could_use_up_an_id() -> None:
    """Repeats by id alone need a source that verifies, and the error says so."""
    with pytest.raises(SettingsError, match="deduplicateBy is id, and anybody can send one; add"):
        loader.load(
            "dev",
            overrides={"sources": [{"name": "a", "paths": ["/a"], "deduplicateBy": "id"}]},
        )
