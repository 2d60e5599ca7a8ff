"""The CDK app: settings → BufferStack → MonitoringStack → Datadog's library around functions.

``cdk synth -c env=dev``; without ``-c env`` the variable ``WEBHOOK_BUFFER_ENV``
decides. ``-c overrides='{…}'`` replaces keys of the environment's block for one run;
``-c publicUrl=…`` is where senders reach the API, if neither at its own URL nor at its domain;
``-c practiceBackend=URL`` names a faux backend that runs already; ``-c recordIndexes=NAME,…`` are
the only ones that the record table gets.
"""

from __future__ import annotations

import json
import sys

from functions import jsii  # noqa: F401 - before aws_cdk

# isort: split
from aws_cdk import App, Environment

from buffer.stack import BufferStack
from monitoring.cdk.stack import MonitoringStack
from settings import exposure
from settings.errors import FileError, InputError, WebhookBufferError
from settings.loader import load
from settings.mistakes import mistake
from settings.schema import Settings


def build(app: App, settings: Settings) -> None:
    """Puts this environment's stacks into ``app``."""
    # Here, so that a mistake in them is reported like any other error.
    from alarms import CATALOG
    from dashboards import DASHBOARDS

    where = Environment(account=settings.awsAccount, region=settings.awsRegion)
    indexes: str | None = app.node.try_get_context("recordIndexes")
    stacks: list[BufferStack | MonitoringStack] = []
    if settings.existing is None:
        stacks.append(
            BufferStack(
                app,
                settings.prefix,
                settings=settings,
                public_url=app.node.try_get_context("publicUrl"),
                practice_backend=app.node.try_get_context("practiceBackend"),
                record_indexes=None if indexes is None else indexes.split(","),
                env=where,
            )
        )
    if settings.monitoring:
        monitoring = MonitoringStack(
            app,
            settings.monitoring_stack_name,
            settings=settings,
            catalog=CATALOG,
            dashboards=DASHBOARDS,
            env=where,
        )
        for stack in stacks:
            monitoring.add_stack_dependency(stack)
        stacks.append(monitoring)
    if settings.instrumented_functions:
        # Loading Datadog's construct takes almost a second.
        from monitoring.cdk.datadog import instrument

        instrument(
            {name: function for stack in stacks for name, function in stack.functions.items()},
            settings=settings,
        )


def main() -> int:
    """What the CDK CLI runs: exit code 0, or one error on standard error and not 0."""
    # The CDK's own rules only warn, into a log, and take longer than all else; cfn-lint judges the
    # templates, and the tests apply these rules too. Source: AWS CDK API reference, "AppProps",
    # read 2026-11-26.
    app = App(builtin_cloud_formation_validation=False)
    try:
        try:
            overrides = json.loads(app.node.try_get_context("overrides") or "{}")
        except ValueError as error:
            raise InputError(f"-c overrides is not valid JSON: {error}") from None
        settings = load(app.node.try_get_context("env"), overrides=overrides)
        exposure.require_allowed(settings)
        build(app, settings)
        app.synth()
    except OSError as error:
        print(FileError(error), file=sys.stderr)
        return FileError.exit_code
    except WebhookBufferError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except Exception as error:
        wrong = mistake(error)
        if wrong is None:
            raise
        print(wrong, file=sys.stderr)
        return wrong.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
