"""A session's cells, read as the metrics that Datadog and CloudWatch would have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np
from alarmproof.base.errors import NotSupportedError

from monitoring.alarm_set import AlarmSet
from monitoring.cost import PRICES
from monitoring.datadog.log_search import matcher
from monitoring.datadog.metrics import cloudwatch_of, known
from monitoring.datadog.query_tree import Atom
from settings.names import FUNCTION_MEMORY_MB
from webhook_buffer.console.frame import Frame
from webhook_buffer.console.log_counts import MOST_GROUPS, LogCounts, TooManyGroupsError
from webhook_buffer.console.reductions import Values, reduced
from webhook_buffer.live.cells import COUNTED
from webhook_buffer.live.observations import FUNCTIONS
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.session import Session
from webhook_buffer.live.values import Key

# What only some programs measure, by how the name of its metric begins.
_NEVER = {
    "aws.dynamodb.": "DynamoDB's capacity and throttles",
    "aws.lambda.throttles": "Throttled invocations",
    "aws.lambda.concurrent_executions": "Concurrent executions",
    "aws.lambda.enhanced.init_duration": "Cold starts",
    "aws.lambda.enhanced.max_memory_used": "Memory used",
    "aws.lambda.enhanced.timeouts": "Timeouts",
    "aws.lambda.enhanced.out_of_memory": "Functions that ran out of memory",
    "aws.apigateway.integration_latency": "Time within the integration",
    "aws.sqs.number_of_empty_receives": "Empty receives",
}
_ENHANCED = "aws.lambda.enhanced."
# The same by CloudWatch's namespace and name; an empty name stands for all of a namespace.
_UNREPORTED = {
    ("AWS/DynamoDB", ""): _NEVER["aws.dynamodb."],
    ("AWS/Lambda", "Throttles"): _NEVER["aws.lambda.throttles"],
    ("AWS/Lambda", "ConcurrentExecutions"): _NEVER["aws.lambda.concurrent_executions"],
    ("AWS/SQS", "NumberOfEmptyReceives"): _NEVER["aws.sqs.number_of_empty_receives"],
    ("AWS/ApiGateway", "IntegrationLatency"): _NEVER["aws.apigateway.integration_latency"],
}
_ERRORS_ZERO = {
    ("AWS/ApiGateway", "4xx"): "Count",
    ("AWS/ApiGateway", "5xx"): "Count",
}
_NAMING = ("functionname", "queuename", "tablename", "apiid", "apiname", "resource_name")


class UnmeasuredError(Exception):
    """When a session can't have the numbers; it says why, as a sentence."""


class Numbers:
    """The metrics of one session.

    Args:
        counts: of log lines, kept from one answer to the next.
        reads: the metrics that are read of AWS; None where the session has what it observed.
    """

    def __init__(
        self,
        session: Session,
        alarms: AlarmSet,
        counts: LogCounts,
        reads: Collection[Key] | None = None,
    ) -> None:
        self._reads = reads
        self._session, self._counts, self._alarms = session, counts, alarms
        self._settings = settings = alarms.settings
        roles = {name: settings.function_name(name) for name in settings.functions}
        self.names = {
            **{name.lower(): role for role, name in roles.items()},
            settings.queue_name.lower(): "queue",
            settings.table_name.lower(): "table",
            settings.notify_dlq_name.lower(): "notify-dlq",
        }

    def of_datadog(self, atom: Atom, frame: Frame) -> dict[str, Values]:
        """A metric's values, by group; the key is empty where it is not grouped.

        Raises:
            UnmeasuredError: When the session can't have it.
        """
        tags = dict(tag.partition(":")[::2] for tag in atom.tags)
        self._require(tags)
        self._measurable(atom.metric)
        named = next((tags[tag] for tag in _NAMING if tag in tags), None)
        grouped = [tag for tag in atom.by if tag not in tags]
        here = self._here
        constant = ", ".join(here[tag] for tag in grouped if tag in here)
        metric = known(atom.metric)
        lacks = [tag for tag in grouped if tag in here and metric and tag not in metric.tags]
        if lacks:
            raise UnmeasuredError(f"{atom.metric} has no tag {', '.join(lacks)}.")
        grouped = [tag for tag in grouped if tag not in here]
        if any(tag not in ("functionname", "queuename") for tag in grouped):
            raise UnmeasuredError(f"This console can't group by {', '.join(grouped)}.")
        if named is not None and named not in self.names and "api" not in next(iter(tags)):
            raise UnmeasuredError(f"This environment has no {named}.")
        role = self.names.get(named or "")
        if not grouped:
            return {constant: self._rolled(atom, role, frame)}
        every = {name: known for name, known in self.names.items() if role in (None, known)}
        if grouped == ["functionname"]:
            every = {name: known for name, known in every.items() if known in FUNCTIONS}
        return {
            ", ".join(filter(None, (name, constant))): self._rolled(atom, known, frame)
            for name, known in every.items()
        }

    def of_logs(self, search: str, frame: Frame) -> Values:
        """How many log lines match, by bucket; NaN before the oldest line that is kept."""
        return self._counts.counted(self._session, search, matcher(search), frame)

    def of_grouped_logs(
        self, search: str, facets: tuple[str, ...], frame: Frame
    ) -> dict[tuple[str, ...], Values]:
        """The same for each group of the lines, by its value of each facet.

        Raises:
            UnmeasuredError: When there are too many.
        """
        try:
            return self._counts.grouped(self._session, search, matcher(search), facets, frame)
        except TooManyGroupsError:
            raise UnmeasuredError(
                f"Its log lines fall into more than {MOST_GROUPS:,} groups by {', '.join(facets)}."
            ) from None

    def of_cloudwatch(self, key: Key, statistic: str, frame: Frame) -> Values:
        """A statistic of CloudWatch's, by bucket; NaN without values.

        Raises:
            UnmeasuredError: When a longer bucket can't have it.
        """
        if self._reads is not None and key not in self._reads:
            raise UnmeasuredError(f"This console does not read {key[0]} {key[1]} of CloudWatch.")
        try:
            values = self._session.cells.statistics(
                key, statistic, start=frame.start, count=frame.count, step=frame.step
            )
        except NotSupportedError:
            raise UnmeasuredError(
                f"{statistic} is known minute by minute only, and can't be summed up."
            ) from None
        return self._zeros(key, statistic, frame, values)

    def _zeros(self, key: Key, statistic: str, frame: Frame, values: Values) -> Values:
        """Where AWS publishes zeros: counts of what is in use, errors of what is called."""
        namespace, name, role = key
        if self._reads is not None:
            return values  # AWS has published them itself, and the newest minutes come late
        called = _ERRORS_ZERO.get((namespace, name))
        if called:
            calls = self.of_cloudwatch((namespace, called, role), "Sum", frame)
            return np.where(np.isnan(values) & ~np.isnan(calls), 0.0, values)
        if statistic not in COUNTED or not namespace.startswith("AWS/"):
            return values
        if not self._session.cells.known(key):
            return values
        times = np.array(frame.times)
        during = (times + frame.step > self._session.start) & (times < self._session.now)
        return np.where(np.isnan(values) & during, 0.0, values)

    @property
    def _here(self) -> dict[str, str]:
        """Tags that everything of a session has."""
        return {
            "env": self._settings.environment, "service": self._settings.service,
            "region": self._settings.awsRegion,
        }  # fmt: skip

    def _require(self, tags: Mapping[str, str]) -> None:
        here = self._here
        for name, value in tags.items():
            if name in here and value != here[name]:
                raise UnmeasuredError(f"This session is of {name}:{here[name]}.")
            if name == "cold_start":
                raise UnmeasuredError(self._unreported("Cold starts"))

    def unreported(self, namespace: str, name: str) -> str | None:
        """Why a metric of CloudWatch's has no numbers here; None where it has some."""
        what = _UNREPORTED.get((namespace, name)) or _UNREPORTED.get((namespace, ""))
        return self._unreported(what) if what and self._reads is None else None

    def _unreported(self, what: str) -> str:
        if self._reads is None:
            return f"{what}: the emulator does not report it."
        return f"{what}: only Datadog's extension reports it."

    def _measurable(self, metric: str) -> None:
        for beginning, what in _NEVER.items():
            # CloudWatch itself has what does not come from Datadog's extension.
            if metric.startswith(beginning) and (
                self._reads is None or beginning.startswith(_ENHANCED)
            ):
                raise UnmeasuredError(self._unreported(what))
        if known(metric) is None:
            raise UnmeasuredError(f"This session does not measure {metric}.")

    def _rolled(self, atom: Atom, role: str | None, frame: Frame) -> Values:
        """A metric over the time of each bucket."""
        rollup = atom.method("rollup") or ()
        counted = atom.method("as_count") is not None or atom.method("as_rate") is not None
        over = rollup[0] if rollup else "sum" if counted else "avg"
        configured = self._configured(atom.metric, role)
        if configured is not None:
            return np.full(frame.count, configured)
        observed = _observed(atom, role)
        if observed:
            key, factor = observed
            return self.of_cloudwatch(key, _statistic(atom.aggregation), frame) * factor
        values = self._minutely(atom, role, frame)
        if atom.method("as_rate") is not None:
            return _rolled(values, over, frame) / frame.step
        return _rolled(values, over, frame)

    def _minutely(self, atom: Atom, role: str | None, frame: Frame) -> Values:
        """A metric minute by minute, over all resources that the scope leaves."""
        minutes = Frame(frame.start, MINUTE, frame.count * frame.step // MINUTE)
        made = [self._one(atom, single, minutes) for single in _roles(atom.metric, role)]
        if len(made) == 1:
            return made[0]
        return reduced(np.array(made), atom.aggregation, 0)

    def _one(self, atom: Atom, role: str, minutes: Frame) -> Values:
        name = atom.metric
        if name == "aws.lambda.enhanced.estimated_cost":
            return self._cost(role, minutes)
        if name == "aws.lambda.enhanced.batch_item_failures":
            function = f"functionname:{self._settings.function_name(role)}"
            return self.of_logs(f"{function} @event:webhook.failed", minutes)
        if name.startswith("trace.backend.request."):
            attempts = "(@event:webhook.delivered OR @event:webhook.failed)"
            failed = "(@Backend5xx:1 OR @BackendTimeout:1 OR @BackendConnectionError:1)"
            return self.of_logs(failed if name.endswith("errors") else attempts, minutes)
        alias = _ALIASES.get(name)
        source = alias or cloudwatch_of(name, atom.aggregation)
        if source is None:
            raise UnmeasuredError(f"This session does not measure {name}.")
        namespace, metric, statistic = source
        own = role if namespace in ("AWS/Lambda", "AWS/SQS") else _operation(atom)
        return self.of_cloudwatch((namespace, metric, own), statistic, minutes)

    def _cost(self, role: str, minutes: Frame) -> Values:
        """At list prices, as the functions are configured."""
        calls = self.of_cloudwatch(("AWS/Lambda", "Invocations", role), "Sum", minutes)
        spent = self.of_cloudwatch(("AWS/Lambda", "Duration", role), "Sum", minutes)
        memory = self._configured("aws.lambda.enhanced.memorysize", role) or 0.0
        second, call = PRICES["GB-second"], PRICES["invocation"]
        gigabyte_seconds = np.nan_to_num(spent) / 1000 * memory / 1024
        return calls * call.amount / call.units + gigabyte_seconds * second.amount / second.units

    def _configured(self, metric: str, role: str | None) -> float | None:
        """What is not measured but set; None for all else."""
        if metric.endswith(".memorysize") and role:
            return float(FUNCTION_MEMORY_MB)
        resource = self._alarms.resources.by_role.get(role or "")
        if metric == "aws.lambda.timeout" and resource and "timeout" in resource.facts:
            return resource.facts["timeout"].value or None
        return None


# What the extension and traces send, by what stands for it here: the same calls.
_ALIASES = {
    "aws.lambda.enhanced.invocations": ("AWS/Lambda", "Invocations", "Sum"),
    "aws.lambda.enhanced.errors": ("AWS/Lambda", "Errors", "Sum"),
    "trace.aws.lambda.hits": ("AWS/Lambda", "Invocations", "Sum"),
    "trace.aws.lambda.errors": ("AWS/Lambda", "Errors", "Sum"),
}
# DynamoDB's operations, which tags have in lower case; no metric that is read has others.
_OPERATIONS = ("GetItem", "UpdateItem")
# Distributions, in seconds where the cells are in milliseconds.
_DISTRIBUTIONS = {
    "aws.lambda.enhanced.duration": ("AWS/Lambda", "Duration", 0.001),
    "aws.lambda.enhanced.billed_duration": ("AWS/Lambda", "Duration", 0.001),
    "aws.lambda.enhanced.runtime_duration": ("AWS/Lambda", "Duration", 1.0),
    "trace.aws.lambda": ("AWS/Lambda", "Duration", 0.001),
    "trace.backend.request": ("WebhookBuffer", "BackendDuration", 0.001),
}


def _observed(atom: Atom, role: str | None) -> tuple[Key, float] | None:
    distribution = _DISTRIBUTIONS.get(atom.metric)
    if distribution is None:
        return None
    namespace, name, factor = distribution
    own = namespace == "AWS/Lambda"
    if own and role is None:
        raise UnmeasuredError("Not available across functions; choose one.")
    return (namespace, name, (role or "") if own else ""), factor


def _operation(atom: Atom) -> str:
    """DynamoDB's own name of the operation that a scope names; empty where it names none."""
    named = [tag.partition(":")[2] for tag in atom.tags if tag.startswith("operation:")]
    return next((name for name in _OPERATIONS if name.lower() in named), "")


def _statistic(aggregation: str) -> str:
    words = {"avg": "Average", "max": "Maximum", "min": "Minimum", "sum": "Sum"}
    return words.get(aggregation, "SampleCount" if aggregation == "count" else aggregation)


def _roles(metric: str, role: str | None) -> Iterable[str]:
    if role is not None:
        return [role]
    if metric.startswith(("aws.lambda", "trace.aws.lambda")):
        return FUNCTIONS
    return ["queue"] if metric.startswith("aws.sqs") else [""]


def _rolled(values: Values, over: str, frame: Frame) -> Values:
    """The minutes of each bucket as one value."""
    wide = values.reshape(frame.count, -1)
    return values if wide.shape[1] == 1 else reduced(wide, over, 1)
