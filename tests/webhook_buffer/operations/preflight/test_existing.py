"""A name that monitoring rests on and nothing has is reported."""

from __future__ import annotations

import pytest

from tests.fake_aws import Refusal
from tests.webhook_buffer.operations.preflight.faults import existing
from tests.webhook_buffer.operations.preflight.world import World
from webhook_buffer.operations.preflight.model import Level


@pytest.mark.parametrize(
    ("call", "refusal", "what"),
    [
        (
            "sqs.GetQueueUrl",
            "AWS.SimpleQueueService.NonExistentQueue",
            "'orders.fifo' of existing.q",
        ),
        (
            "lambda.GetFunctionConfiguration",
            "ResourceNotFoundException",
            "'orders' of existing.func",
        ),
        ("dynamodb.DescribeTable", "ResourceNotFoundException", "'orders' of existing.tables does"),
        ("apigatewayv2.GetApi", "NotFoundException", "'a1b2c3' of existing.apis does not exist"),
    ],
)
def test_what_is_only_monitored_exists(world: World, call: str, refusal: str, what: str) -> None:
    """A name with a mistake is reported, for its alarms would stay silent forever."""
    assert world.problems(existing.GOOD, existing.MONITORED) == []
    answers = {**existing.GOOD, call: Refusal(refusal, status=404)}
    ((check, sentence, remedy, level),) = world.problems(answers, existing.MONITORED)
    assert (check, level) == ("existing", Level.BLOCKS)
    assert sentence.startswith(what)
    assert remedy == "Correct its name in cdk.json."


@pytest.mark.parametrize(
    ("known", "instead"),
    [
        ([{"id": "d4e5f6", "name": "order"}], "Correct its name in cdk.json."),
        ([{"id": "orders", "name": "shop"}], "Set its name to 'shop' in cdk.json"),
    ],
    ids=["mistyped", "an id"],
)
def test_rest_apis_are_known_by_name(
    world: World, known: list[dict[str, str]], instead: str
) -> None:
    """A REST API is looked for by name; one named by its id gets its name as the remedy."""
    answers = {**existing.GOOD, "apigateway.GetRestApis": {"items": known}}
    ((check, sentence, remedy, level),) = world.problems(answers, existing.MONITORED)
    assert (check, level) == ("existing", Level.BLOCKS)
    assert sentence.startswith("'orders' of existing.apis does not exist in 333333333333, us-east")
    assert remedy.startswith(instead)
