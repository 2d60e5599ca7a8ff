"""Functions may do what their code calls, and nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from settings import loader
from settings.paths import ROOT
from tests.templates import DEMANDING, Synthesized
from webhook_buffer.operations.function_rights import RIGHTS, FunctionRight
from webhook_buffer.operations.preflight import network

pytestmark = pytest.mark.xdist_group("demanding")

# What the words of the table mean in templates: forms, each of at least one resource.
_RESOURCES: Mapping[str, tuple[str, ...]] = {
    "`encryptionKeyArn`": (re.escape(DEMANDING["encryptionKeyArn"]),),
    "all": (r"^\*$",),
    "its own log group": (r'"\w*Logs\w{8}", "Arn"',),
    "its rows in the table of incidents": ("table/webhook-buffer-stg-incidents",),
    "keys of enrolled secrets": ("key/.*1$",),
    "keys of secrets": ("key/.*2$",),
    "keys of sources' secrets": ("key/.*1$",),
    "secrets of channels": ("secret:slack-",),
    "secrets of sources": ("secret:asana-",),
    "secrets that come by a handshake": ("secret:asana-",),
    "the bucket of large bodies": (r'"Bodies\w{8}", "Arn"\]}, "/bodies/\*"',),
    "the heartbeat key": (r'"HeartbeatKey\w{8}"|-heartbeat-key-\?{6}',),
    "the incidents table": (r'"NotificationsIncidents\w{8}", "Arn"',),
    "the key of that secret": ("key/.*0$",),
    "the logs of publish and subscribe": ("-publish:[*]", "-subscribe:[*]"),
    "the logs of subscribe and audit": ("-subscribe:[*]", "-audit:[*]"),
    "the parking table": (r'"Parking\w{8}", "Arn"',),
    "the parking table's index": (r"table/webhook-buffer-stg-parking/index/\*",),
    "the probe": (r'"Probe", "Arn"',),
    "the queue": (r'"Queue\w{8}", "Arn"|:webhook-buffer-stg\.fifo"',),
    "the queue of notifications": (r'"NotificationsQueue\w{8}", "Arn"',),
    "the record table": (r'"Records\w{8}", "Arn"|table/webhook-buffer-stg-records"',),
    "the signing secret": ("secret:signing-",),
    "topics of email channels": (r'"NotificationsEmailMail\w{8}"',),
}
_PREFIXES = {
    "CLOUDWATCH": "cloudwatch", "DYNAMODB": "dynamodb", "LOGS": "logs",
    "SECRETS": "secretsmanager", "SNS": "sns", "SQS": "sqs",
}  # fmt: skip
# Modules that are imported within code that a function never runs: publish does not read
# subscribe's variables, with the failure policy and its attempts; subscribe knows sources by their
# table, and only publish takes a handshake's secret.
_NEVER_LOADED: Mapping[str, str] = {
    "publish": "lambdas.failure_policy",
    "subscribe": "lambdas.sources.enrollment",
}
# What a transaction does needs the right of each action in it, and none of its own. Source:
# DynamoDB developer guide, "Amazon DynamoDB Transactions", "IAM permissions".
_TRANSACTION = "dynamodb:TransactWriteItems"
_IN_TRANSACTION = {
    "ConditionCheck": "dynamodb:ConditionCheckItem", "Delete": "dynamodb:DeleteItem",
    "Put": "dynamodb:PutItem", "Update": "dynamodb:UpdateItem",
}  # fmt: skip
# Granted for what AWS does on a function's behalf, beside all use of keys and network interfaces.
# Source: Lambda developer guide, "Using Lambda with Amazon SQS".
_ON_BEHALF = {
    "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl",
    "sqs:ChangeMessageVisibility", "logs:CreateLogStream", "logs:PutLogEvents",
}  # fmt: skip


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse((ROOT / module.replace(".", "/")).with_suffix(".py").read_text("utf-8"))


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only type checkers read."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _run(child)


def _modules(module: str, seen: set[str]) -> set[str]:
    """A module of the functions and all that it imports of theirs when it runs."""
    if module in seen:
        return seen
    seen.add(module)
    for name in _imported(module):
        _modules(name, seen)
    return seen


@cache
def _imported(module: str) -> frozenset[str]:
    """The modules of theirs that a module imports itself."""
    names: set[str] = set()
    for node in _run(_tree(module)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lambdas"):
            assert node.module
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(
        name for name in names if (ROOT / name.replace(".", "/")).with_suffix(".py").exists()
    )


def _called(function: str) -> set[str]:
    """The IAM actions of a function's calls, those of what it imports included."""
    never = _NEVER_LOADED.get(function)
    seen = {never} if never else set()
    modules = _modules(f"lambdas.{function.replace('-', '_')}", seen) - {never}
    actions = {action for module in modules for action in _called_by(module)}
    if _TRANSACTION in actions:
        actions.remove(_TRANSACTION)
        actions |= {action for module in modules for action in _transacted(_tree(module))}
    return actions


@cache
def _called_by(module: str) -> frozenset[str]:
    return frozenset(_calls(_tree(module)))


def _calls(tree: ast.Module) -> Iterator[str]:
    """The actions of a module's calls, those of its ``_call(action, …)`` included."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in calls:
        if ast.unparse(call.func) == "aws.put_object":
            yield "s3:PutObject"
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "call":
            continue
        owner = getattr(call.func.value, "attr", getattr(call.func.value, "id", ""))
        if owner not in _PREFIXES:
            continue
        wrapped = [
            invocation for invocation in calls if getattr(invocation.func, "id", "") == "_call"
        ]
        named = [call] if isinstance(call.args[0], ast.Constant) else wrapped
        assert named, ast.unparse(call)
        for made in named:
            yield f"{_PREFIXES[owner]}:{ast.literal_eval(made.args[0])}"


def _transacted(tree: ast.Module) -> Iterator[str]:
    """The actions that a module writes for transactions: ``{"Put": …}``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and len(node.keys) == 1:
            key = node.keys[0]
            if isinstance(key, ast.Constant) and key.value in _IN_TRANSACTION:
                yield _IN_TRANSACTION[key.value]


def _granted(demanding: Synthesized) -> dict[str, set[tuple[str, str]]]:
    """The actions that each function's role allows, and on which resource, by its name."""
    granted: dict[str, set[tuple[str, str]]] = {}
    for stack in demanding.stacks:
        roles = {
            function["Properties"]["Role"]["Fn::GetAtt"][0]: function["Properties"]["FunctionName"]
            for function in stack.resources("AWS::Lambda::Function").values()
        }
        for policy in stack.resources("AWS::IAM::Policy").values():
            for role in policy["Properties"]["Roles"]:
                name = roles[role["Ref"]].removeprefix("webhook-buffer-stg-")
                pairs = granted.setdefault(name, set())
                pairs |= set(_pairs(policy["Properties"]["PolicyDocument"]))
    return granted


def _pairs(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for statement in document["Statement"]:
        if statement["Effect"] == "Deny":
            continue
        actions, resources = statement["Action"], statement["Resource"]
        for action in [actions] if isinstance(actions, str) else actions:
            for resource in resources if isinstance(resources, list) else [resources]:
                yield action, resource if isinstance(resource, str) else json.dumps(resource)


def _shown(rights: tuple[FunctionRight, ...]) -> set[str]:
    return {right.action for right in rights}


@pytest.mark.parametrize("name", RIGHTS)
def test_templates_grant_what_the_table_says(demanding: Synthesized, name: str) -> None:
    """What a function may do, and to what, is in the table, no more and no less."""
    granted = _granted(demanding)[name]
    expected = set()
    for right in RIGHTS[name]:
        for form in _RESOURCES[right.resource]:
            meant = {resource for _, resource in granted if re.search(form, resource)}
            assert meant, f"{right.action}: nothing is granted on {right.resource}"
            expected |= {(right.action, resource) for resource in meant}
    assert granted == expected


@pytest.mark.parametrize("name", RIGHTS)
def test_every_right_is_used(name: str) -> None:
    """A function's rights are those of its code's calls, and of what AWS does on its behalf."""
    called, rights = _called(name), _shown(RIGHTS[name])
    assert called <= rights
    assert {
        right for right in rights - called - _ON_BEHALF if not right.startswith(("kms:", "ec2:"))
    } == set()


def _handed_on(tree: ast.Module) -> list[str]:
    """Where a client stands without ``.call(…)`` behind it, so that its calls are not read."""
    called = {
        id(node.func.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr == "call"
    }
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in _PREFIXES and id(node) not in called
    ]


def test_no_client_is_handed_on() -> None:
    """Every call stands in the code as ``aws.SQS.call``, which is how the calls are read."""
    files = sorted((ROOT / "lambdas").rglob("*.py"))
    assert {file.name: _handed_on(ast.parse(file.read_text("utf-8"))) for file in files} == {
        file.name: [] for file in files
    }
    assert _handed_on(ast.parse("client = aws.SQS; client.call('PurgeQueue', {})"))


@pytest.mark.parametrize(("name", "module"), _NEVER_LOADED.items())
def test_what_is_never_loaded_is_imported(name: str, module: str) -> None:
    """An exception for an import that is gone is gone, too."""
    assert module in _modules(f"lambdas.{name}", set())


def test_a_closed_network_needs_what_subscribe_calls() -> None:
    """Where subnets have no way out, preflight asks for endpoints of all that subscribe calls."""
    called = {action.partition(":")[0] for action in _called("subscribe")}
    settings = loader.load("stg", overrides=DEMANDING)
    assert set(network.services(settings)) == called


# Deployed on the laptop only, whose emulator enforces no policies.
_ON_LAPTOP = {Path("lambdas/laptop_alarms.py")}


def test_every_function_is_in_the_table() -> None:
    """A new function can't be forgotten."""
    handlers = {
        file.relative_to(ROOT)
        for file in (ROOT / "lambdas").glob("*.py")
        if any(
            isinstance(node, ast.FunctionDef) and node.name == "handler"
            for node in ast.parse(file.read_text("utf-8")).body
        )
    }
    known = {Path(f"lambdas/{name.replace('-', '_')}.py") for name in RIGHTS}
    assert handlers == known | _ON_LAPTOP
