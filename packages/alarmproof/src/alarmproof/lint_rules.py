"""The rules of ``alarms lint``: what each finds, why that matters, what to do."""

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
        why: what becomes of such an alarm.
        remedy: what to do.
        check: says for an alarm what is wrong, each in a sentence.
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
    Rule("no-action", ERROR, "no alarm action, and part of no composite alarm",
         "Nobody is told.", "Give it an action, or make it part of a composite alarm.",
         checks.no_action),
    Rule("actions-disabled", ERROR, "`ActionsEnabled: false`", "Nobody is told.",
         "Enable them, or remove the alarm.", checks.actions_disabled),
    Rule("unheard-topic", ERROR, "a topic of the templates without subscription",
         "The action reaches nobody, and nothing says so.", "Subscribe somebody to the topic.",
         checks.unheard_topic),
    Rule("key-forbids", ERROR, "a topic whose key CloudWatch may not use",
         "The action fails, and nothing says so.",
         "Use a customer managed key that grants cloudwatch.amazonaws.com kms:Decrypt and "
         "kms:GenerateDataKey*.", checks.key_forbids),
    Rule("never-clears", ERROR, "a metric that is only there when something happens, with missing "
         "data that keeps the state", "Once on, it stays on.",
         "Set TreatMissingData to notBreaching; for AWS/DynamoDB add a metric that brings zeros.",
         checks.never_clears),
    Rule("always-breaches", ERROR, "such a metric, with missing data that breaches",
         "It is on while all is well.", "Set TreatMissingData to notBreaching.",
         checks.always_breaches),
    Rule("out-of-range", ERROR, "a threshold that the metric can't cross: above the function's "
         "timeout, the queue's retention, a quota, or below 0", "It never fires.",
         "Set a threshold within the range.", checks.out_of_range),
    Rule("duplicate-name", ERROR, "two alarms of one name", "One overwrites the other.",
         "Give each its own name.", checks.duplicate_name),
    Rule("circle", ERROR, "composite alarms that refer to each other in a circle",
         "CloudWatch refuses it, or its state is stuck.", "Cut the circle.", checks.circle),
    Rule("unknown-part", ERROR, "a composite alarm of an alarm that is in no template",
         "The deployment fails, or the part is missing.",
         "Correct the name, or add the template that has it.", checks.unknown_part),
    Rule("not-evaluable", ERROR, "maths or a rule that can't be read, or uses what is not declared",
         "CloudWatch refuses it, or this tool can't prove it.",
         "Correct it; what is only not supported here, allow with a reason.", checks.not_evaluable),
    Rule("iterator-age", ERROR, "IteratorAge of a function that reads from SQS",
         "It never has data.", "Watch the queue's ApproximateAgeOfOldestMessage.",
         checks.iterator_age),
    Rule("negative-drain", ERROR, "a time to drain that is negative while the backlog grows",
         "It is silent when it matters.", "Divide by what is deleted, and ask whether it grows.",
         checks.negative_drain),
    Rule("few-samples", WARNING, "a single datapoint of a high percentile",
         "A single slow request sets it off when there is little traffic.",
         "Ask for several datapoints, or set EvaluateLowSampleCountPercentile to ignore.",
         checks.few_samples),
    Rule("slow-reaction", WARNING, "an evaluation that takes longer than promised",
         "It tells later than people expect.", "Shorten the period or ask for fewer datapoints.",
         checks.slow_reaction),
    Rule("same-alarm", WARNING, "two alarms that ask exactly the same",
         "It tells everything twice.", "Remove one.", checks.same_alarm),
    Rule("no-description", WARNING, "no description", "Who is told does not know what it means.",
         "Say what is wrong, for whom, and what to do.", checks.no_description),
    Rule("no-runbook", WARNING, "a description without a link to a runbook",
         "Who is told does not know what to do.", "Add the link.", checks.no_runbook),
)  # fmt: skip
