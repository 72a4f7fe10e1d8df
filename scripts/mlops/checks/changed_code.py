"""What of a Python file a change touches: lines inside functions, and names made on import."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Piece:
    """A function, or a statement that runs on import.

    Attributes:
        name: `Class.method`; of a statement the class it stands in, or "".
        key: equal for pieces that do the same: comments, docstrings and layout do not count.
        first, last: lines, from 1; decorators and signature are among them.
        body: the first line of a function's body; of a statement its first line.
        binds: names by which others use it.
        uses: names it mentions.
        function: whether it runs when called, not on import.
    """

    name: str
    key: str
    first: int
    last: int
    body: int
    binds: frozenset[str]
    uses: frozenset[str]
    function: bool


@dataclass(frozen=True)
class Difference:
    """What the old text had otherwise.

    Attributes:
        lines: for each changed or removed function, its changed lines in the old text.
        names: for each statement changed on import, and each added function, the names.
    """

    lines: dict[str, frozenset[int]]
    names: dict[str, frozenset[str]]


def pieces(text: str) -> list[Piece]:
    """The functions and import-time statements of a file.

    Raises:
        SyntaxError: when it is not Python.
    """
    return list(_pieces(ast.parse(text).body, ""))


def _pieces(body: list[ast.stmt], within: str) -> Iterator[Piece]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            head = _named(node, within)
            yield _statement(_header(node), within, binds={node.name})
            yield from _pieces(node.body, head)
        elif isinstance(node, Function):
            yield _function(node, within)
        elif not _is_text(node):
            yield _statement(node, within, binds={within.rpartition(".")[2]} if within else set())


def _named(node: ast.ClassDef | Function, within: str) -> str:
    return f"{within}.{node.name}" if within else node.name


def _header(node: ast.ClassDef) -> ast.ClassDef:
    """A class without its body, which has pieces of its own."""
    header = ast.ClassDef(node.name, node.bases, node.keywords, [ast.Pass()], node.decorator_list)
    return ast.copy_location(header, node)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _function(node: Function, within: str) -> Piece:
    lines = [node.lineno, *(each.lineno for each in node.decorator_list)]
    return Piece(
        name=_named(node, within),
        key=_key(node),
        first=min(lines),
        last=node.end_lineno or node.lineno,
        body=node.body[0].lineno,
        binds=frozenset({node.name, within.rpartition(".")[2]} - {""}),
        uses=_mentioned(node),
        function=True,
    )


def _statement(node: ast.stmt, within: str, binds: set[str]) -> Piece:
    made = {
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for each in ast.walk(node)
        if isinstance(each, ast.Import | ast.ImportFrom)
        for alias in each.names
    }
    return Piece(
        name=within,
        key=_key(node),
        first=node.lineno,
        last=node.lineno if isinstance(node, ast.ClassDef) else node.end_lineno or node.lineno,
        body=node.lineno,
        binds=frozenset(binds | (set() if within else made) | imported),
        uses=_mentioned(node),
        function=False,
    )


def _key(node: ast.AST) -> str:
    """The tree without places, and without docstrings."""
    for each in ast.walk(node):
        body = getattr(each, "body", None)
        if isinstance(body, list) and len(body) > 1 and _is_text(body[0]):
            del body[0]
    return ast.dump(node)


def _mentioned(node: ast.AST) -> frozenset[str]:
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    attributes = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    return frozenset(names | attributes)


def difference(old: str, new: str) -> Difference:
    """What a change from `old` to `new` touches, in lines of `old`.

    Raises:
        SyntaxError: when one of them is not Python.
    """
    before, after = pieces(old), pieces(new)
    gone = _without(before, after)
    come = _without(after, before)
    touched = _touched_lines(old, new)
    added = {piece.name: piece for piece in come if piece.function}
    lines, names = {}, {}
    for piece in gone:
        if not piece.function:
            names[_title(piece)] = piece.binds
            continue
        kept = added.pop(piece.name, None)
        span = range(piece.first, piece.last + 1)
        inside = touched.intersection(span)
        in_signature = kept is None or any(line < piece.body for line in inside)
        lines[piece.name] = frozenset(span) if in_signature or not inside else _whole(old, inside)
    for piece in [each for each in come if not each.function or each.name in added]:
        names[_title(piece)] = names.get(_title(piece), frozenset()) | piece.binds
    return Difference(lines, names)


def _title(piece: Piece) -> str:
    if piece.function:
        return piece.name
    return piece.name or ", ".join(sorted(piece.binds)) or "on import"


def _without(some: list[Piece], others: list[Piece]) -> list[Piece]:
    """The pieces that the others lack, as often as they lack them."""
    left = Counter((piece.name, piece.key) for piece in others)
    missing = []
    for piece in some:
        if left[piece.name, piece.key]:
            left[piece.name, piece.key] -= 1
        else:
            missing.append(piece)
    return missing


def _touched_lines(old: str, new: str) -> set[int]:
    """Lines of `old` that differ or are gone; at an insertion the lines on both sides."""
    one, other = ([line.strip() for line in text.splitlines()] for text in (old, new))
    touched: set[int] = set()
    for tag, start, end, _, _ in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag == "insert":
            touched |= {start, start + 1}
        elif tag != "equal":
            touched |= set(range(start + 1, end + 1))
    return touched


def _whole(text: str, lines: set[int]) -> frozenset[int]:
    """All lines of the innermost statements that hold these lines."""
    spans = sorted(_spans(ast.parse(text)), key=lambda span: span[1] - span[0])
    found: set[int] = set()
    for line in lines:
        first, last = next((span for span in spans if span[0] <= line <= span[1]), (line, line))
        found |= set(range(first, last + 1))
    return frozenset(found)


def _spans(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """First and last line of each statement; of one that holds others, only of its head."""
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            end = node.end_lineno or node.lineno
            inner = body[0].lineno if isinstance(body, list) and body else 0
            yield node.lineno, inner - 1 if inner > node.lineno else end
