"""What is unproven on AWS is tried by ``make first-deployment``, whose logic runs here."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from settings.errors import InputError, ToolError
from settings.loader import load
from settings.paths import ROOT
from tests.emulated_aws import emulated_environment
from tests.first_deployment import steps, trial
from tests.first_deployment.assumptions import Outcome, Verdict, assumptions, report
from tests.first_deployment.steps import STEPS, Place
from webhook_buffer.laptop import gateway
from webhook_buffer.laptop.programs.process import Running
from webhook_buffer.operations import deployment, stores
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.send import Receipt, Webhook

_MARKER = re.compile(r"unproven on\s+AWS: (`[a-z-]+`)")
_ASSUMED = re.compile(r"\b[Aa]ssumed\b(?!_| by|-role)")
_PLACES = ("buffer", "functions", "lambdas", "settings", "webhook_buffer")
# About Datadog, which an AWS account says nothing about.
_ELSEWHERE = ("webhook_buffer/laptop/fake_datadog/",)


def test_every_assumption_is_tried_or_listed_as_not_covered() -> None:
    """A step tries each assumption of the page but those that say why not, and nothing else."""
    known = assumptions()
    tried = {name for names in STEPS for name in names} | {trial.ADOPTED}
    assert {name for name, assumption in known.items() if assumption.covered} == tried


def test_every_marker_of_the_documents_is_an_assumption() -> None:
    """What a page calls unproven is one of the assumptions, stated there; nothing else is."""
    known = assumptions()
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text("utf-8").partition("## Unproven assumptions")[0]
        marked = {name.strip("`") for name in _MARKER.findall(text)}
        assert text.count("unproven") == len(_MARKER.findall(text)), page
        assert "not proven" not in text, page
        for name in marked:
            assert str(page.relative_to(ROOT)) in known[name].files


def test_every_assumption_of_the_code_is_listed() -> None:
    """A comment that calls something of AWS assumed is in the table, and no other file is."""
    stated = {
        str(file.relative_to(ROOT))
        for folder in _PLACES
        for file in (ROOT / folder).rglob("*.py")
        if _ASSUMED.search(file.read_text("utf-8"))
    }
    stated = {file for file in stated if not file.startswith(_ELSEWHERE)}
    listed = {file for entry in assumptions().values() for file in entry.files}
    assert stated == {file for file in listed if file.endswith(".py")}


def test_the_report_has_every_assumption() -> None:
    """What was seen stands beside the claim, and what was not reached is said."""
    known = assumptions()
    page = report(known, [Outcome("deploys", Verdict.REFUTED, "a | b")], "Here.")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == len(known)
    assert rows[0].startswith("| `deploys`: ")
    assert "| **refuted** | a / b |" in rows[0]
    assert "| **unknown** | not reached |" in rows[1]
    assert "not covered: " in rows[-1]


@dataclass
class _Api:
    """Answers as API Gateway and the buffer do, by the path and body of a request.

    Attributes:
        kind: to the reserved paths.
    """

    kind: bool = False
    sent: list[Webhook] = field(default_factory=list)

    def post(self, webhook: Webhook) -> Receipt:
        self.sent.append(webhook)
        headers, ours = webhook.headers, {"message_id": "m-1"}
        if webhook.path in ("/ping", "/sping") and not self.kind:
            return Receipt(200, {}, 0.01)
        if len(webhook.body) > gateway.MAX_BODY_BYTES:
            return Receipt(413, {}, 0.01)
        if sum(map(len, headers.values())) >= gateway.MAX_HEAD_BYTES:
            return Receipt(431, {}, 0.01)
        if webhook.body.startswith(b"\xff"):
            return Receipt(415, {"error": "altered"}, 0.01, release="1")
        if webhook.path == steps.TRIAL and headers[steps.TOKEN_HEADER] != "token":
            return Receipt(401, {"error": "refused"}, 0.01, release="1")
        return Receipt(200, ours, 0.01, release="1")


def _place(target: Any, api: _Api | None = None, **waits: Any) -> Place:
    outputs = {"BufferedEndpoint": "http://127.0.0.1:9", "DynamoDBTable": "records"}
    template = {"Resources": {"Publish": {"Type": "AWS::Lambda::Function", "Properties": {
        "FunctionName": "publish", "Environment": {"Variables": {"QUEUE": {"Ref": "Queue"}}},
    }}}}  # fmt: skip
    place = Place(target, outputs, (template,), None, "token", **waits)
    object.__setattr__(place, "sender", api or _Api())
    return place


def _verdicts(outcomes: Iterator[Outcome]) -> dict[str, Verdict]:
    return {outcome.id: outcome.verdict for outcome in outcomes}


def test_requests_confirm_what_is_assumed_of_them() -> None:
    """Where AWS answers as assumed, all that requests show is confirmed."""
    seen: dict[str, Verdict] = {}
    for step in (steps.reserved_paths, steps.bodies, steps.customer_key):
        seen |= _verdicts(step(_place(None)))
    assert set(seen.values()) == {Verdict.CONFIRMED}
    assert len(seen) == 5


def test_requests_refute_what_is_otherwise() -> None:
    """Where the buffer answers on a reserved path, it is not reserved."""
    assert _verdicts(steps.reserved_paths(_place(None, _Api(kind=True)))) == {
        "reserved-paths": Verdict.REFUTED
    }


@pytest.mark.parametrize(("length", "verdict"), [(120, "confirmed"), (121, "refuted")])
def test_references_are_compared_with_what_synth_takes_them_for(length: int, verdict: str) -> None:
    """A deployed variable longer than what stood for it at synth refutes the assumption."""
    said = {"Environment": {"Variables": {"QUEUE": "q" * length}}}
    functions = SimpleNamespace(get_function_configuration=lambda **_: said)
    place = _place(SimpleNamespace(functions=functions))
    assert _verdicts(steps.references(place)) == {"reference-size": verdict}


@pytest.fixture
def target(emulator: Running, tmp_path: Path) -> Environment:
    """An environment of its own names on the emulator, with nothing deployed."""
    overrides = {"awsAccount": "000000000000", "service": f"first-{uuid.uuid4().hex[:8]}"}
    return emulated_environment(emulator, tmp_path, load("dev", overrides=overrides))


def _stack(target: Environment) -> dict[str, Any]:
    """A buffer's stack as far as its table goes."""
    key = {"AttributeName": "id", "AttributeType": "S"}
    table = {
        "TableName": target.settings.table_name, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [key], "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }  # fmt: skip
    resource = {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "Properties": table}
    return {"Resources": {"Records": resource}}


@dataclass
class _Deployer:
    """Deploys the stack above, by CloudFormation; its webhooks are recorded at once."""

    target: Environment
    events: list[str] = field(default_factory=list)
    broken: bool = False

    def deploy(self, overrides: Mapping[str, Any], token: str) -> Place:
        self.events.append("deploy")
        if self.broken:
            raise ToolError("cdk deploy failed")
        template, settings = _stack(self.target), self.target.settings
        load("dev", overrides={"awsAccount": settings.awsAccount, **overrides})
        cloudformation = self.target.cloudformation
        cloudformation.create_change_set(
            StackName=settings.prefix, ChangeSetName="c", ChangeSetType="CREATE",
            TemplateBody=json.dumps(template), ImportExistingResources=True,
        )  # fmt: skip
        cloudformation.get_waiter("change_set_create_complete").wait(
            StackName=settings.prefix, ChangeSetName="c", WaiterConfig={"Delay": 1}
        )
        cloudformation.execute_change_set(StackName=settings.prefix, ChangeSetName="c")
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=settings.prefix, WaiterConfig={"Delay": 1}
        )
        outputs = {"BufferedEndpoint": "http://127.0.0.1:9", "DynamoDBTable": settings.table_name}
        place = Place(self.target, outputs, (template,), None, token, poll_seconds=0.1)
        object.__setattr__(place, "sender", self)
        return place

    def post(self, _: Webhook) -> Receipt:
        item = {"id": {"S": "m-1"}}
        self.target.dynamodb.put_item(TableName=self.target.settings.table_name, Item=item)
        return Receipt(200, {"message_id": "m-1"}, 0.01, release="1")

    def destroy(self) -> None:
        self.events.append("destroy")
        name = self.target.settings.prefix
        self.target.cloudformation.delete_stack(StackName=name)
        self.target.cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1}
        )


def test_a_trial_leaves_nothing(target: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table outlives a forced rollback, a step that fails is unknown, and all is deleted."""

    def fails(_: Place) -> Iterator[Outcome]:
        yield steps.judged("first", True, "seen")
        raise ToolError("broke")

    monkeypatch.setattr(trial, "STEPS", {("first", "second"): fails})
    deployer = _Deployer(target)
    outcomes = list(trial.trial(deployer))
    assert [(outcome.id, outcome.verdict) for outcome in outcomes] == [
        ("first", Verdict.CONFIRMED), ("second", Verdict.UNKNOWN), ("adopted-tables", "confirmed"),
    ]  # fmt: skip
    assert outcomes[1].seen == "ToolError: broke"
    assert outcomes[2].seen == "after ROLLBACK_COMPLETE and another deployment the record is there"
    assert deployer.events == ["deploy", "destroy", "deploy", "destroy"]
    _require_nothing(target)


def test_a_trial_that_can_not_deploy_leaves_nothing(target: Environment) -> None:
    """The key and the secret are deleted although the deployment failed."""
    with pytest.raises(ToolError, match="cdk deploy failed"):
        list(trial.trial(_Deployer(target, broken=True)))
    _require_nothing(target)


def _require_nothing(target: Environment) -> None:
    assert deployment.deployed(target) == []
    assert not stores.existing(target)
    names = [secret["Name"] for secret in target.secrets.list_secrets()["SecretList"]]
    assert not [name for name in names if name.startswith(target.settings.prefix)]


def test_only_a_throw_away_environment_is_tried(target: Environment) -> None:
    """What exists, or may deliver to somebody, is refused before anything is made."""
    trial.require_throw_away(target)
    for settings in (load("stg"), load("dev", overrides={"testFlags": False})):
        with pytest.raises(InputError, match="'create_faux_backend' and 'testFlags' only"):
            trial.require_throw_away(replace(target, settings=settings))
    _Deployer(target).deploy({}, "token")
    with pytest.raises(InputError, match="exists in 000000000000 already"):
        trial.require_throw_away(target)
