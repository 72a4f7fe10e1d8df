"""What a person who sends requests sees: answers, refusals, counts."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mlops.bento import scorer
from mlops.serving.front import MAX_BODY, SHOWN_PROBLEMS
from tests.serving.toy import MODEL, Serving, Toy, body, rows, serving

pytestmark = pytest.mark.slow
GOOD = {"x": 1.5, "side": "left"}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "service.log"


@pytest.fixture(scope="module")
def served(toy: Toy, log: Path) -> Iterator[Serving]:
    with serving(toy.bento.path, release=7, pins=toy.pins, log=log) as found:
        yield found


@pytest.fixture
def client(served: Serving) -> Iterator[httpx.Client]:
    with served.ask() as found:
        yield found


def problems(answer: httpx.Response) -> list[str]:
    entries = answer.json()["problems"]
    return [f"{entry['path']}: {entry['what']}; {entry['fix']}" for entry in entries]


def test_a_thousand_answers_have_the_bits_of_the_offline_predictions(
    toy: Toy, client: httpx.Client
) -> None:
    model = scorer(toy.bento.path, MODEL, toy.model.digest)
    points = rows(1000)
    offline = model.score([model.features.record(**row) for row in points]).tolist()
    one_by_one = [client.post("/predict", content=body(row)) for row in points]
    assert [answer.json()["predictions"] for answer in one_by_one] == [[one] for one in offline]
    assert client.post("/predict", content=body(*points)).json()["predictions"] == offline


def test_an_answer_names_the_release_in_header_and_body(client: httpx.Client) -> None:
    answer = client.post("/predict", content=body(GOOD))
    assert answer.status_code == 200
    assert (answer.headers["x-release"], answer.json()["release"]) == ("7", 7)
    assert answer.headers["content-type"] == "application/json"
    assert "connection" not in answer.headers


@pytest.mark.parametrize("path", ["/readyz", "/livez", "/healthz", "/metrics", "/docs.json", "/"])
def test_all_else_is_answered_by_bentoml_and_names_the_release_too(
    client: httpx.Client, path: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["x-release"]) == (200, "7")


def test_what_does_not_exist_names_the_release_too(client: httpx.Client) -> None:
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.headers["x-release"]) == (404, "7")


def test_the_openapi_description_shows_the_fields_of_a_row(client: httpx.Client) -> None:
    described = json.dumps(client.get("/docs.json").json())
    assert '"side"' in described
    assert '["left", "right"]' in described


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "body: Invalid JSON: EOF while parsing a value at line 1 column 0; "),
        (b"[]", "body: Input should be an object; correct the value"),
        (b"{}", "rows: Field required; add it"),
        (body({"x": 1}), "rows.0.side: Field required; add it"),
        (
            body(GOOD, {**GOOD, "side": "up"}),
            "rows.1.side: Input should be 'left' or 'right'; correct the value",
        ),
        (
            body({**GOOD, "y": 2}),
            "rows.0.y: Extra inputs are not permitted; remove it or correct its name",
        ),
    ],
)
def test_a_request_that_is_wrong_is_refused_with_place_cause_and_fix(
    client: httpx.Client, content: bytes, expected: str
) -> None:
    answer = client.post("/predict", content=content)
    assert (answer.status_code, answer.headers["x-release"]) == (422, "7")
    assert problems(answer)[0].startswith(expected)


def test_of_very_many_problems_the_first_are_shown(client: httpx.Client) -> None:
    answer = client.post("/predict", content=body(*({"x": 1} for _ in range(50))))
    assert len(problems(answer)) == SHOWN_PROBLEMS + 1
    assert problems(answer)[-1] == "body: 30 more problems; correct the ones above first"


def test_no_rows_are_no_predictions(client: httpx.Client) -> None:
    assert client.post("/predict", content=body()).json() == {"release": 7, "predictions": []}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_another_method_is_refused(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/predict")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_body_that_is_too_large_is_refused_and_the_connection_goes_on(
    client: httpx.Client,
) -> None:
    expected = f"body: body is larger than {MAX_BODY} bytes; send the rows in several requests"
    declared = client.post("/predict", content=b" " * (MAX_BODY + 1))
    chunked = client.post("/predict", content=iter([b" " * 70_000] * 20))
    assert [declared.status_code, chunked.status_code] == [413, 413]
    assert problems(declared) == problems(chunked) == [expected]
    assert client.post("/predict", content=body(GOOD)).status_code == 200


def test_what_is_not_http_is_refused_and_names_the_release_too(served: Serving) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(served.private))
        raw.sendall(b"good day\r\n\r\n")
        answer = raw.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 400 ")
    assert "x-release: 7" in answer


def test_a_client_that_leaves_within_its_request_leaves_no_trace(
    served: Serving, client: httpx.Client, log: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(served.private))
        raw.sendall(b"POST /predict HTTP/1.1\r\nhost: toy\r\ncontent-length: 100\r\n\r\n{")
    assert client.post("/predict", content=body(GOOD)).status_code == 200
    assert "Traceback" not in log.read_text()
    assert "disconnect" not in log.read_text()


def test_a_refused_request_is_one_json_line_in_the_log(client: httpx.Client, log: Path) -> None:
    before = len(log.read_text().splitlines())
    client.post("/predict", content=b"{")
    client.post("/predict", content=body(GOOD))
    (line,) = log.read_text().splitlines()[before:]
    entry = json.loads(line)
    assert (entry["release"], entry["status"], entry["reason"]) == (7, 422, "invalid")
    assert entry["problems"][0]["path"] == "body"


def test_requests_rows_failures_and_time_are_counted_by_release(client: httpx.Client) -> None:
    names = {
        "ok": 'mlops_predict_requests_total{release="7",status="200"}',
        "refused": 'mlops_predict_requests_total{release="7",status="422"}',
        "invalid": 'mlops_predict_failures_total{reason="invalid",release="7"}',
        "rows": 'mlops_predict_rows_total{release="7"}',
        "timed": 'mlops_predict_seconds_count{release="7"}',
    }
    client.post("/predict", content=b"{")
    before = counts(client, names)
    client.post("/predict", content=body(GOOD, GOOD, GOOD))
    client.post("/predict", content=b"{")
    after = counts(client, names)
    grown = {key: after[key] - before[key] for key in names}
    assert grown == {"ok": 1, "refused": 1, "invalid": 1, "rows": 3, "timed": 2}


def counts(client: httpx.Client, names: dict[str, str]) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    shown = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {key: float(shown.get(name, 0)) for key, name in names.items()}
