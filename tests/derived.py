"""A dataset made of the small project's own: the points of one side, and their mean."""

from tests.team import Team

NAME = "toy-left"
PATH = f"data-contracts/{NAME}.dvc"
STEP = f"data-contracts/{NAME}/derive.py"
DERIVE = """\
def derive(sources):
    points = sources["toy-points"]
    left = points[points["side"] == "left"]
    return left[["moment", "x"]]
"""


def add_derived(
    team: Team, name: str = NAME, *, of: tuple[str, ...] = ("toy-points",), step: str = DERIVE
) -> None:
    """Write its contract and its step; nothing is committed."""
    team.write(f"data-contracts/{name}.odcs.yaml", contract(name, f"[{', '.join(of)}]"))
    team.write(f"data-contracts/{name}/derive.py", step.replace("toy-points", of[0]))


def add_ingested(team: Team, name: str) -> None:
    """Write another dataset like the small project's own; nothing is committed."""
    for path in ("{}.odcs.yaml", "{}/ingest.py"):
        text = (team.root / "data-contracts" / path.format("toy-points")).read_text()
        team.write(f"data-contracts/{path.format(name)}", text.replace("toy-points", name))


def add_whole(team: Team, name: str, *, of: tuple[str, str]) -> None:
    """Write a dataset that a model can learn from: the rows of the first of two others."""
    text = (team.root / "data-contracts/toy-points.odcs.yaml").read_text()
    made_of = f"customProperties: [{{property: derivedFrom, value: [{', '.join(of)}]}}]\n"
    team.write(f"data-contracts/{name}.odcs.yaml", text.replace("toy-points", name) + made_of)
    step = f"def derive(sources):\n    return sources[{of[0]!r}]\n"
    team.write(f"data-contracts/{name}/derive.py", step)


def learn_from(team: Team, dataset: str, *, model: str = "toy-line") -> None:
    """Let a model learn from a dataset; nothing is committed."""
    path = f"models/{model}/model.yaml"
    text = (team.root / path).read_text()
    team.write(path, text.replace("dataset: toy-points", f"dataset: {dataset}"))


def contract(name: str, of: str) -> str:
    """A contract whose `derivedFrom` is the YAML given."""
    return f"""\
apiVersion: v3.1.0
kind: DataContract
id: 0c9f3f0e-6a0f-4b8e-9d0a-2a4f0a6f7d12
name: {name}
version: 1.0.0
status: active
schema:
  - name: left
    logicalType: object
    properties:
      - {{name: moment, logicalType: timestamp, primaryKey: true, primaryKeyPosition: 1, required: true}}
      - {{name: x, logicalType: number, required: true, logicalTypeOptions: {{maximum: 10}}}}
team:
  name: Toys
  members: [{{username: toys@example.com, role: owner}}]
customProperties:
  - {{property: derivedFrom, value: {of}}}
"""
