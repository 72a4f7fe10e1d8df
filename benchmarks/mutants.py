"""Mutants of the project's own modules: one small fault each, sampled by a seed."""

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = "scripts/mlops"
TRIES = 50


@dataclass(frozen=True)
class Mutant:
    """A file (path from the root) with one fault: the operator, and its how-manieth place."""

    path: str
    operator: str
    occurrence: int
    text: str
    line: int

    @property
    def name(self) -> str:
        """For people, and to find it again."""
        return f"{self.path}:{self.line} {self.operator.removeprefix('core/')} {self.occurrence}"


@dataclass
class _Walk:
    """The places of an operator in a text; with a fault at one of them, the text it gives."""

    operator: Any
    occurrence: int
    places: list[int] = field(default_factory=list)
    text: str = ""

    def visit(self, node: Any) -> Any:
        """The node, or what the fault makes of it."""
        for index, (start, _) in enumerate(self.operator.mutation_positions(node)):
            self.places.append(start[0])
            if len(self.places) - 1 == self.occurrence:
                node = self.operator.mutate(node, index)
        if node is not None and hasattr(node, "children"):
            children = [self.visit(child) for child in node.children]
            node.children = [child for child in children if child is not None]
        return node


def sample(root: Path, seed: int, only: Sequence[str] = ()) -> Iterator[Mutant]:
    """Mutants without end: modules in a random order, one of each, and again.

    Each kind of fault is as likely as any other. One that is in an annotation or makes the
    same program is none, and left out.

    Args:
        root: a clone of the project.
        seed: the same seed and files give the same mutants.
        only: modules to keep to; default: all of the package.
    """
    chance = random.Random(seed)
    files = sorted((root / PACKAGE).rglob("*.py"))
    paths = list(only) or [file.relative_to(root).as_posix() for file in files]
    given: set[tuple[str, str, int]] = set()
    while True:
        chance.shuffle(paths)
        for path in paths:
            made = _one(root, path, chance, given)
            if made:
                yield made


def _one(
    root: Path, path: str, chance: random.Random, given: set[tuple[str, str, int]]
) -> Mutant | None:
    text = (root / path).read_text()
    for _ in range(TRIES):
        name = chance.choice(chance.choice(_kinds()))
        places = len(_walked(text, name, -1).places)
        if not places:
            continue
        occurrence = chance.randrange(places)
        walk = _walked(text, name, occurrence)
        fresh = (path, name, occurrence) not in given
        given.add((path, name, occurrence))
        if fresh and _differs(text, walk.text):
            return Mutant(path, name, occurrence, walk.text, walk.places[occurrence])
    return None


@cache
def _kinds() -> list[list[str]]:
    """Names of the operators, those of one kind together."""
    from cosmic_ray.plugins import get_operator, operator_names

    kinds: dict[str, list[str]] = {}
    for name in sorted(operator_names()):
        if name != "core/NoOp" and not list(get_operator(name).arguments()):
            kinds.setdefault(name.partition("_")[0], []).append(name)
    return list(kinds.values())


def _walked(text: str, name: str, occurrence: int) -> _Walk:
    from cosmic_ray.ast import get_ast
    from cosmic_ray.plugins import get_operator

    walk = _Walk(get_operator(name)(), occurrence)
    walk.text = walk.visit(get_ast(text)).get_code()
    return walk


def _differs(text: str, mutated: str) -> bool:
    try:
        return _plain(text) != _plain(mutated)
    except SyntaxError:
        return False


def _plain(text: str) -> str:
    """The tree without annotations."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)
