"""Live alarms: what is deployed, judged on what runs, minute by minute.

A **session** is one stretch of observing a buffer, in one file. Its parts, bottom up:

- ``pace``: session time. A minute of it takes ``Clock.pace`` real seconds: 60 by default, as few as
  3 in a drill. At 60, session time is real time.
- ``observations``: log lines and queue depths become single values of CloudWatch's metrics;
  ``invocations`` are its part that counts runs of functions, ``values`` the plain data.
- ``cells``: those values by the minute, and the series that alarms read.
- ``webhooks``: what became of each webhook, by the same lines.
- ``session``: all of it. ``Session.open(file)`` reads one; ``session.save(file)`` writes it whole;
  ``Follower(file)`` keeps one up to date while the engine writes; ``session.lines``, ``.webhooks``,
  ``.timeline`` (transitions of alarms) and ``.marks`` (drills, paces) are what a viewer shows.
- ``judge``: ``Judge(alarms, prefix).judge(session, end)`` evaluates the alarms as deployed: state,
  since when, value against threshold, and what is suppressed by what.
- ``states``: puts verdicts where notifications come from, on the emulator.
- ``sources``: polls what runs. ``engine``: source → session → judge → states, until it is stopped.
"""
