"""Whether CloudWatch can read an expression; facts in braces stand for numbers."""

from __future__ import annotations

import re

from alarmproof.base.errors import NotSupportedError, SyntaxProblemError
from alarmproof.base.expressions import compile_expression


def syntax_problem(expression: str) -> str | None:
    """Why an expression can't be read, with the place; None if it can."""
    numbers = re.sub(r"\{[a-z_.-]+\}", lambda fact: "1" * len(fact[0]), expression)
    try:
        compile_expression(numbers)
    except SyntaxProblemError as error:
        return f"{str(error).replace(numbers, expression)}; correct it"
    except NotSupportedError:  # CloudWatch reads it, though alarmproof can't evaluate it
        return None
    return None
