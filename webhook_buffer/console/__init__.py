"""The console: one local page on a session. ``server`` serves it, ``page`` is what it shows.

Bottom up: ``numbers`` reads a session's cells as Datadog's and CloudWatch's metrics, ``evaluation``
computes queries and formulas on them, ``boards`` and ``cloudwatch_board`` make dashboards of them;
``alarms``, ``webhooks`` and ``notifications`` are the other views; ``state`` follows the session
and says what changed; ``api`` has the routes.
"""
