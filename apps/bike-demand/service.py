"""The bike-demand service: how many bikes are rented in an hour."""

from typing import Any

import bentoml

from mlops.serving.route import Scoring, model_beside

demand = model_beside(__file__, "bike-demand")


@bentoml.service(name="bike-demand")
class Service:
    """Bikes rented in an hour, from the hour, the kind of day and the weather."""

    scoring = Scoring(demand.features.record, demand.score)

    @bentoml.api(route="/predict", input_spec=scoring.request, output_spec=scoring.answer)
    def predict(self, rows: list[Any]) -> Any:
        """Expected rentals of each hour, in the order of the rows."""
        return self.scoring.answered(rows)
