"""A service.py's function for the scoring route: it is there for `bentoml serve` alone."""

import ast

from mlops.errors import bad_input
from mlops.serving.route import ROUTE

SCORES = "return self.scoring.answered({})"


def refuse_more(path: str, source: bytes) -> None:
    """Refuse a service whose scoring route does more than scoring.

    What answers requests calls `Scoring` itself: a line more in this function would hold in
    `bentoml serve` and nowhere else.

    Raises:
        BadInput: naming the line.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return  # packing tells
    for function in (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)):
        given = [each.arg for each in function.args.args[1:2]]
        if _is_routed(function) and _said(function) != [SCORES.format(*given)]:
            raise bad_input(
                f"{path}:{function.lineno}",
                f"`{function.name}` does more than scoring, and what answers {ROUTE} leaves it out",
                f"do it in the function that Scoring gets, and leave `{SCORES.format('rows')}`",
            )


def _is_routed(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(keyword.value, ast.Constant) and keyword.value.value == ROUTE
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
        if keyword.arg == "route"
    )


def _said(function: ast.FunctionDef) -> list[str]:
    """The function's lines, its docstring left out."""
    documented = ast.get_docstring(function) is not None
    return [ast.unparse(each) for each in function.body[documented:]]
