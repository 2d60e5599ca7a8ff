"""Fire drills: a failure is really caused, and the whole chain from it to people is checked.

``model`` says what a drill is and ``catalog`` lists them, as data. ``causes`` cause a failure and
repair it, with everything written to the ``journal`` before it is changed. ``traffic`` sends
numbered webhooks; ``runner`` runs a drill on what ``up`` started; ``verdict`` says what held.
"""
