"""Which calls to AWS each command's code can make, read from the source.

What a command can reach is followed name by name: functions, constants, and classes with all their
methods.
A name that is only passed on counts as used, so that the answer is at times too much and never too
little. The laptop's own code is left out, for its AWS asks for no rights.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import typer

from settings.paths import ROOT
from webhook_buffer.cli.groups import built

# An environment's clients, by the name of their attribute: boto3's name of the service.
CLIENTS = {
    "acm": "acm",
    "apigateway": "apigatewayv2",
    "cloudformation": "cloudformation",
    "cloudwatch": "cloudwatch",
    "dynamodb": "dynamodb",
    "events": "events",
    "functions": "lambda",
    "iam": "iam",
    "ec2": "ec2",
    "kms": "kms",
    "logs": "logs",
    "rest_apis": "apigateway",
    "route53": "route53",
    "s3": "s3",
    "secrets": "secretsmanager",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
}
_PACKAGE = "webhook_buffer"
_LAPTOP = "webhook_buffer.laptop."
# What works on AWS, too, although it is in the laptop's folder.
_BEYOND_THE_LAPTOP = {"webhook_buffer.laptop.drills.deployed"}
_CDK = {"bootstrap", "deploy", "destroy", "diff"}
# What an environment is called where its clients are asked for.
_OWNERS = {"target", "_target"}

# Module and name of something defined at its top level.
_Place = tuple[str, str]
# A node and all below it.
_Nodes = tuple[ast.AST, ...]


@dataclass
class _Module:
    """A module's top-level definitions, and what its imports mean.

    Attributes:
        imports: a name → the module, or the place, that it stands for.
    """

    name: str
    definitions: dict[str, _Nodes] = field(default_factory=dict)
    imports: dict[str, str | _Place] = field(default_factory=dict)


@cache
def _modules() -> Mapping[str, _Module]:
    modules = {}
    for file in (ROOT / _PACKAGE).rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        if not name.startswith(_LAPTOP) or name in _BEYOND_THE_LAPTOP:
            modules[name] = _read(name, ast.parse(file.read_text("utf-8")))
    return modules


def _read(name: str, tree: ast.Module) -> _Module:
    module = _Module(name)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            module.definitions[node.name] = tuple(ast.walk(node))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    module.definitions[target.id] = tuple(ast.walk(node))
        else:
            module.imports |= _imports(tuple(ast.walk(node)))
    return module


def _imports(nodes: _Nodes) -> dict[str, str | _Place]:
    """What names of ours stand for after the imports in some code."""
    imports: dict[str, str | _Place] = {}
    for inner in nodes:
        if isinstance(inner, ast.ImportFrom) and (inner.module or "").startswith(_PACKAGE):
            assert inner.module
            for alias in inner.names:
                whole = f"{inner.module}.{alias.name}"
                is_module = (ROOT / whole.replace(".", "/")).with_suffix(".py").exists()
                here = alias.asname or alias.name
                imports[here] = whole if is_module else (inner.module, alias.name)
    return imports


def _names(module: _Module, nodes: _Nodes) -> Iterator[_Place]:
    """The places that code mentions."""
    imports = module.imports | _imports(nodes)
    for inner in nodes:
        if isinstance(inner, ast.Name):
            meant = imports.get(inner.id)
            if isinstance(meant, tuple):
                yield meant
            elif meant is None and inner.id in module.definitions:
                yield module.name, inner.id
        elif isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
            meant = imports.get(inner.value.id)
            if isinstance(meant, str):
                yield meant, inner.attr


def _calls(nodes: _Nodes) -> Iterator[str]:
    """``sqs.get_queue_url`` for each call of a client; ``cdk.deploy`` for the CDK."""
    clients: dict[str, str] = {}
    for inner in nodes:
        if isinstance(inner, ast.Assign):
            for name, value in _assigned(inner):
                if service := _client(value):
                    clients[name] = service
    for inner in nodes:
        if not isinstance(inner, ast.Attribute):
            continue
        named = inner.value.id if isinstance(inner.value, ast.Name) else ""
        if named == "cdk" and inner.attr in _CDK:
            yield f"cdk.{inner.attr}"
        service = _client(inner.value) or clients.get(named)
        if service and inner.attr not in ("exceptions", "get_paginator", "get_waiter"):
            yield f"{service}.{inner.attr}"
    for inner in nodes:
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            owner = inner.func.value
            named = owner.id if isinstance(owner, ast.Name) else ""
            service = _client(owner) or clients.get(named)
            if service and inner.func.attr == "get_paginator":
                yield f"{service}.{ast.literal_eval(inner.args[0])}"


def _assigned(node: ast.Assign) -> Iterator[tuple[str, ast.expr]]:
    """The names that an assignment gives values, also several at once."""
    for target in node.targets:
        if isinstance(target, ast.Name):
            yield target.id, node.value
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            for part, value in zip(target.elts, node.value.elts, strict=True):
                if isinstance(part, ast.Name):
                    yield part.id, value


def _client(node: ast.expr) -> str | None:
    """The service, where an expression is a client of an environment."""
    if not isinstance(node, ast.Attribute) or node.attr not in CLIENTS:
        return None
    owner = node.value
    name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
    return CLIENTS[node.attr] if name in _OWNERS else None


@cache
def _mentioned(place: _Place) -> frozenset[_Place] | None:
    """The places that a definition mentions; None where it is not ours."""
    module = _modules().get(place[0])
    if module is None or place[1] not in module.definitions:
        return None
    return frozenset(_names(module, module.definitions[place[1]]))


def _reached(place: _Place, seen: set[_Place]) -> set[_Place]:
    others = _mentioned(place)
    if others is None or place in seen:
        return seen
    seen.add(place)
    for other in others:
        _reached(other, seen)
    return seen


@cache
def _made(place: _Place) -> frozenset[str]:
    return frozenset(_calls(_modules()[place[0]].definitions[place[1]]))


@cache
def calls_from(module: str, name: str) -> frozenset[str]:
    """The calls that a function can make, as ``service.method``."""
    return frozenset().union(*map(_made, _reached((module, name), set())))


def calls_by_command(app: typer.Typer) -> dict[str, frozenset[str]]:
    """The calls that each command can make, by its words; commands without any are left out."""
    by_command = {
        words: calls_from(callback.__module__, callback.__name__)
        for words, callback in _commands(built(app), ())
    }
    return {words: calls for words, calls in sorted(by_command.items()) if calls}


def all_calls() -> set[str]:
    """The calls of all code that can run on AWS, whichever command reaches it."""
    return {
        call
        for module in _modules().values()
        for name in module.definitions
        for call in _made((module.name, name))
    }


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "list_commands"):
        yield " ".join(words), command.callback
        return
    for name in command.list_commands(None):
        yield from _commands(command.get_command(None, name), (*words, name))
