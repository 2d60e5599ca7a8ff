"""The rules of ``alarmproof lint``: what each finds, why that matters, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from alarmproof import lint_checks as checks
from alarmproof.lint_checks import Setting
from alarmproof.model import AnyAlarm

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True)
class Rule:
    """A check.

    Attributes:
        what: what it finds, for the table of rules.
        why: the consequence for such an alarm.
        remedy: what to do.
        check: yields a sentence for every problem of an alarm.
    """

    id: str
    severity: str
    what: str
    why: str
    remedy: str
    check: Callable[[Setting, AnyAlarm], Iterator[str]]


RULES: tuple[Rule, ...] = (
    Rule("unknown-metric", ERROR, "a metric that its AWS service does not publish",
         "It never has data.", "Use a metric of the service's list.", checks.unknown_metric),
    Rule("unknown-dimension", ERROR, "dimensions under which the metric is not published",
         "It never has data.", "Name exactly the dimensions of one published set.",
         checks.unknown_dimension),
    Rule("no-action", ERROR, "no alarm action, and not part of a composite alarm",
         "Nobody is notified.", "Give it an action, or make it part of a composite alarm.",
         checks.no_action),
    Rule("actions-disabled", ERROR, "`ActionsEnabled: false`", "Nobody is notified.",
         "Enable them, or remove the alarm.", checks.actions_disabled),
    Rule("unsubscribed-topic", ERROR, "a topic in the templates without a subscription",
         "The action notifies nobody, without an error.", "Add a subscription to the topic.",
         checks.unsubscribed_topic),
    Rule("key-forbids", ERROR, "a topic whose key CloudWatch may not use",
         "The action fails, without an error.",
         "Use a customer managed key that grants cloudwatch.amazonaws.com kms:Decrypt and "
         "kms:GenerateDataKey*.", checks.key_forbids),
    Rule("never-clears", ERROR, "a metric that is only there when something happens, with missing "
         "data that keeps the state", "Once in ALARM, it stays there.",
         "Set TreatMissingData to notBreaching; for AWS/DynamoDB add a metric that supplies zeros.",
         checks.never_clears),
    Rule("always-breaches", ERROR, "a metric that is only there when something happens, with "
         "missing data that breaches", "It is in ALARM while all is well.",
         "Set TreatMissingData to notBreaching.", checks.always_breaches),
    Rule("out-of-range", ERROR, "a threshold that the metric can't cross: above the function's "
         "timeout, the queue's retention, a quota, or below 0", "It never fires.",
         "Set a threshold within the range.", checks.out_of_range),
    Rule("duplicate-name", ERROR, "two alarms with the same name", "One overwrites the other.",
         "Give each its own name.", checks.duplicate_name),
    Rule("circle", ERROR, "composite alarms that refer to each other in a circle",
         "CloudWatch rejects it, or its state is stuck.", "Break the circle.", checks.circle),
    Rule("unknown-part", ERROR, "a composite alarm of an alarm that is not in the templates",
         "The deployment fails, or the part is missing.",
         "Correct the name, or add the template that has it.", checks.unknown_part),
    Rule("not-evaluable", ERROR, "math or a rule that can't be parsed, or uses undeclared ids",
         "CloudWatch rejects it, or alarmproof can't evaluate it.",
         "Correct it; if it is only unsupported here, allow it with a reason.",
         checks.not_evaluable),
    Rule("iterator-age", ERROR, "IteratorAge of a function that reads from SQS",
         "It never has data.", "Use the queue's ApproximateAgeOfOldestMessage.",
         checks.iterator_age),
    Rule("negative-drain", ERROR, "a time to drain that is negative while the backlog grows",
         "It is silent when it matters.",
         "Divide by the messages deleted, and check separately whether the backlog grows.",
         checks.negative_drain),
    Rule("few-samples", WARNING, "a single datapoint of a high percentile",
         "With little traffic, a single slow request sets it off.",
         "Require several datapoints, or set EvaluateLowSampleCountPercentile to ignore.",
         checks.few_samples),
    Rule("slow-reaction", WARNING, "an evaluation that takes longer than `--max-reaction`",
         "It notifies later than people expect.", "Shorten the period or require fewer datapoints.",
         checks.slow_reaction),
    Rule("same-alarm", WARNING, "two alarms with the same condition",
         "Everything is notified twice.", "Remove one.", checks.same_alarm),
    Rule("no-description", WARNING, "no description",
         "Whoever is notified does not know what it means.",
         "Describe what is wrong, who is affected, and what to do.", checks.no_description),
    Rule("no-runbook", WARNING, "a description without a link to a runbook",
         "Whoever is notified does not know what to do.", "Add the link.", checks.no_runbook),
)  # fmt: skip
