"""That training and serving make the same of the same rows: features and predictions."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from mlops.data.contract import Contract
from mlops.data.typed import conformed
from mlops.scoring.scorer import Scorer
from mlops.serving.route import Scoring
from mlops.training.rows import matrix, records
from tests.serving.toy import body


def agree(
    contract: Contract, rows: Sequence[Mapping[str, Any]], scorer: Scorer, client: httpx.Client
) -> None:
    """Hold both ways of a dataset's rows to each other, and the app's route to them.

    Args:
        contract: the dataset's.
        rows: as JSON has them, with the contract's columns.
        scorer: the model that `client`'s service serves.
        client: of the service's process.
    """
    code = scorer.features
    frame = conformed(contract, pd.DataFrame(list(rows), dtype=object))
    trained = matrix(records(frame, code), code)
    asked = [{field: row[field] for field in code.record.model_fields} for row in rows]
    request = TypeAdapter(Scoring(code.record, scorer.score).request)
    served = scorer.matrix(request.validate_json(body(*asked)).rows)
    np.testing.assert_array_equal(served, trained)
    answer = client.post("/predict", content=body(*asked))
    assert answer.status_code == 200, answer.text
    expected = scorer.booster.predict(trained, num_threads=1).tolist()
    assert answer.json()["predictions"] == expected
