"""Datadog's recommended monitors for Lambda, SQS, API Gateway and DynamoDB, beside ours.

Datadog serves its recommendations per integration from an API that needs a key, and the repository
behind it is not public. What follows is what it published elsewhere. For SQS and API Gateway that
is nothing, so a public collection of Datadog monitors stands in for them.
"""

from __future__ import annotations

from monitoring.model.recommended import Recommendation, Service, Source

_PLUGIN = Source(
    "Datadog's recommended monitors",
    "https://github.com/DataDog/serverless-plugin-datadog/blob/main/src/serverless-monitors.ts",
)
_WARNINGS = Source(
    "Datadog's serverless warnings",
    "https://docs.datadoghq.com/serverless/guide/serverless_warnings",
)
_LAMBDA_GUIDE = Source(
    "Datadog's guide to Lambda, metrics to alert on",
    "https://www.datadoghq.com/blog/key-metrics-for-monitoring-aws-lambda/",
)
_DYNAMODB_GUIDE = Source(
    "Datadog's guide to DynamoDB, metrics to alert on",
    "https://www.datadoghq.com/blog/top-dynamodb-performance-metrics/",
)
_CLARANET = Source(
    "claranet's monitors for Datadog",
    "https://github.com/claranet/terraform-datadog-monitors/tree/master/cloud/aws",
)

_BOTH_ERRORS = ("publish-errors", "subscribe-errors")
_BOTH_THROTTLES = ("publish-throttles", "subscribe-throttles")
_BOTH_TIMEOUTS = ("publish-timeouts", "subscribe-timeouts")
_BOTH_MEMORY = ("publish-memory", "subscribe-memory")
_BOTH_DURATIONS = ("publish-duration", "subscribe-duration")
_NO_STREAM = "No function reads a stream. Age in the queue is the counterpart, and is monitored."
_NO_PROVISIONED = "No function has provisioned concurrency."
_ON_DEMAND = "The table is on demand: it has no provisioned capacity to come close to."

RECOMMENDATIONS: tuple[Recommendation, ...] = (
    Recommendation(
        service=Service.LAMBDA, source=_PLUGIN, name="High Error Rate",
        fires="errors ≥ 10 % of invocations in 15 min",
        metric="aws.lambda.errors", ours=_BOTH_ERRORS,
        reason="Any error that repeats within minutes: each is a bug, whatever its share.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_PLUGIN, name="Timeout",
        fires="longest duration ≥ timeout in 15 min",
        metric="aws.lambda.duration", ours=_BOTH_DURATIONS,
        reason="Earlier: the 99th percentile, well before the timeout. publish-timeouts and "
        "subscribe-timeouts count the timeouts themselves.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_PLUGIN, name="Out of Memory", fires="any in 15 min",
        metric="aws.lambda.enhanced.out_of_memory", ours=(*_BOTH_MEMORY, *_BOTH_ERRORS),
        another_metric=True,
        reason="Earlier: close to the limit. An invocation that ran out of memory used all of it, "
        "and is an error as well.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_PLUGIN, name="High Iterator Age",
        fires="iterator age ≥ 24 h in 15 min",
        metric="aws.lambda.iterator_age", ours=("queue-age-ticket", "queue-age-page"),
        another_metric=True, reason=_NO_STREAM,
    ),
    Recommendation(
        service=Service.LAMBDA, source=_PLUGIN, name="High Cold Start Rate",
        fires="cold starts ≥ 20 % of invocations in 15 min",
        metric="aws.lambda.enhanced.invocations", ours=("cold-starts",),
        reason="A larger share over a longer time, of publish alone: with few webhooks an hour "
        "their share is normal, and a cold start of subscribe delays no sender.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_PLUGIN, name="High Throttles",
        fires="throttles ≥ 20 % of attempts in 15 min",
        metric="aws.lambda.throttles", ours=_BOTH_THROTTLES,
        reason="Any throttle that repeats within minutes: a throttled sender gets an error.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_PLUGIN, name="Increased Cost",
        fires="estimated cost 20 % up within 5 min",
        metric="aws.lambda.enhanced.estimated_cost", ours=("function-cost",),
        reason="An amount per day instead of a change: webhooks come in bursts, and each would "
        "fire.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_WARNINGS, name="Errors, High errors",
        fires="errors > 1 %, > 10 % of invocations",
        metric="aws.lambda.errors", ours=_BOTH_ERRORS, reason="As High Error Rate.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_WARNINGS, name="High memory usage",
        fires="an invocation used > 95 % of the memory",
        metric="aws.lambda.enhanced.max_memory_used", ours=_BOTH_MEMORY,
        reason="Earlier, with a warning before.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_WARNINGS, name="High duration",
        fires="an invocation took > 95 % of the timeout",
        metric="aws.lambda.duration", ours=_BOTH_DURATIONS,
        reason="The 99th percentile, earlier: a single slow invocation is a backend's hiccup.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_WARNINGS, name="Cold starts",
        fires="> 1 % of invocations",
        metric="aws.lambda.enhanced.invocations", ours=("cold-starts",),
        reason="As High Cold Start Rate.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_WARNINGS, name="Out of memory", fires="any",
        metric="aws.lambda.enhanced.out_of_memory", ours=(*_BOTH_MEMORY, *_BOTH_ERRORS),
        another_metric=True, reason="As Out of Memory above.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_WARNINGS, name="Timeouts", fires="any",
        metric="aws.lambda.enhanced.timeouts", ours=_BOTH_TIMEOUTS,
        reason="Several: single ones are network glitches, and CloudWatch counts each as an error.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_WARNINGS, name="Throttles",
        fires="> 10 % of invocations",
        metric="aws.lambda.throttles", ours=_BOTH_THROTTLES, reason="As High Throttles.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_WARNINGS, name="High iterator age", fires="> 2 h",
        metric="aws.lambda.iterator_age", ours=("queue-age-ticket", "queue-age-page"),
        another_metric=True, reason=_NO_STREAM,
    ),
    Recommendation(
        service=Service.LAMBDA, source=_WARNINGS, name="Over provisioned",
        fires="no invocation used > 10 % of the memory",
        metric="aws.lambda.enhanced.max_memory_used",
        reason="Memory also buys processor time, and with it a shorter cold start. The dashboard "
        "shows the share that is used.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_WARNINGS, name="Threats detected",
        fires="an attack on the application",
        metric="(security signals)",
        reason="Needs App and API Protection, which reads requests' bodies and headers. Nothing "
        "of a webhook leaves the functions.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_WARNINGS, name="Provisioned concurrency",
        fires="utilization < 60 %",
        metric="aws.lambda.provisioned_concurrency_utilization", reason=_NO_PROVISIONED,
    ),
    Recommendation(
        service=Service.LAMBDA, source=_LAMBDA_GUIDE, name="Concurrent executions",
        fires="near what the account allows",
        metric="aws.lambda.concurrent_executions",
        ours=("publish-concurrency", "subscribe-concurrency"),
        reason="Close to the account's quota, and at subscribe's own limit. If other functions use "
        "up the quota, publish-throttles pages.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_LAMBDA_GUIDE, name="Throttles", fires="any",
        metric="aws.lambda.throttles", ours=_BOTH_THROTTLES, reason="The same.",
    ),
    Recommendation(
        service=Service.LAMBDA, source=_LAMBDA_GUIDE, name="Iterator age", fires="a rise",
        metric="aws.lambda.iterator_age", ours=("queue-age-ticket", "queue-age-page"),
        another_metric=True, reason=_NO_STREAM,
    ),
    Recommendation(
        service=Service.LAMBDA, source=_LAMBDA_GUIDE,
        name="Provisioned concurrency spillover", fires="any",
        metric="aws.lambda.provisioned_concurrency_spillover_invocations",
        reason=_NO_PROVISIONED,
    ),
    Recommendation(
        service=Service.SQS, source=_CLARANET, name="Age of the oldest message",
        fires="≥ 10 min throughout 30 min",
        metric="aws.sqs.approximate_age_of_oldest_message",
        ours=("queue-age-ticket", "queue-age-page", "webhooks-late"),
        reason="Earlier, over shorter windows: CloudWatch reports it without Datadog's delay.",
    ),
    Recommendation(
        service=Service.SQS, source=_CLARANET, name="Visible messages",
        fires="a number; off by default",
        metric="aws.sqs.approximate_number_of_messages_visible",
        ours=("backlog-depth", "backlog-growing", "consumer-stopped"),
        reason="A number alone says nothing of the wait; ours compare it with SQS's limit and with "
        "what is delivered.",
    ),
    Recommendation(
        service=Service.API_GATEWAY, source=_CLARANET, name="4xx errors",
        fires="≥ 30 % of requests in 5 min",
        metric="aws.apigateway.4xx", ours=("api-4xx",),
        reason="At a lower share, and only if there are many.",
    ),
    Recommendation(
        service=Service.API_GATEWAY, source=_CLARANET, name="5xx errors",
        fires="≥ 20 % of requests in 5 min",
        metric="aws.apigateway.5xx", ours=("api-5xx", "slo-accepted-fast-long"),
        reason="At a lower share, and only if there are several; and by the error budget.",
    ),
    Recommendation(
        service=Service.API_GATEWAY, source=_CLARANET, name="Latency",
        fires="≥ 3 s throughout 5 min",
        metric="aws.apigateway.latency", ours=("api-latency",),
        reason="The 99th percentile instead of every request; publish-duration says why.",
    ),
    Recommendation(
        service=Service.DYNAMODB, source=_DYNAMODB_GUIDE, name="Successful request latency",
        fires="a rise above the normal level",
        metric="aws.dynamodb.successful_request_latency",
        ours=("record-failed", "slo-delivered-fast-long"), another_metric=True,
        reason="A record has a deadline of its own; past it, it counts as failed. What a slower "
        "write costs a webhook is in the time to its delivery.",
    ),
    Recommendation(
        service=Service.DYNAMODB, source=_DYNAMODB_GUIDE, name="Consumed capacity",
        fires="80 % of what is provisioned",
        metric="aws.dynamodb.consumed_write_capacity_units", reason=_ON_DEMAND,
    ),
    Recommendation(
        service=Service.DYNAMODB, source=_DYNAMODB_GUIDE, name="Write throttle events",
        fires="any",
        metric="aws.dynamodb.write_throttle_events", ours=("table-faults",),
        reason="If it repeats within minutes.",
    ),
    Recommendation(
        service=Service.DYNAMODB, source=_DYNAMODB_GUIDE, name="Read throttle events",
        fires="any",
        metric="aws.dynamodb.read_throttle_events", ours=("table-faults",),
        reason="If it repeats within minutes. Added because of this comparison: retries read their "
        "record first, so a throttled read delays them.",
    ),
    Recommendation(
        service=Service.DYNAMODB, source=_DYNAMODB_GUIDE, name="Conditional check failed requests",
        fires="a rise",
        metric="aws.dynamodb.conditional_check_failed_requests",
        reason="The incident table's conditions fail by design, when two notifications race.",
    ),
    Recommendation(
        service=Service.DYNAMODB, source=_DYNAMODB_GUIDE, name="User errors", fires="any",
        metric="aws.dynamodb.user_errors", ours=("record-failed",), another_metric=True,
        reason="AWS counts user errors for the whole account, other applications' included; the "
        "functions log their own.",
    ),
    Recommendation(
        service=Service.DYNAMODB, source=_DYNAMODB_GUIDE, name="System errors", fires="any",
        metric="aws.dynamodb.system_errors", ours=("table-faults",),
        reason="If it repeats within minutes.",
    ),
    Recommendation(
        service=Service.DYNAMODB, source=_CLARANET, name="Read and write capacity",
        fires="a share of what is provisioned",
        metric="aws.dynamodb.consumed_write_capacity_units", reason=_ON_DEMAND,
    ),
)  # fmt: skip
