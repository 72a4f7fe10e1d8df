"""The bike-demand service: how many bikes are rented in an hour."""

from typing import Any

import bentoml

from mlops.serving.route import Scoring, model_beside

demand = model_beside(__file__, "bike-demand")


@bentoml.service(name="bike-demand")
class Service:
    """Bikes rented in an hour, from the hour, the kind of day and the weather."""

    # A tree model answers a little below 0 in some nights; twice the busiest hour of the data
    # (651 bikes) is more than the city has.
    scoring = Scoring(
        demand.features.record, demand.score, plausible=(-50.0, 1300.0), models=(demand,)
    )

    @bentoml.api(route="/predict", input_spec=scoring.request, output_spec=scoring.answer)
    def predict(self, rows: list[Any]) -> Any:
        """Expected rentals of each hour, in the order of the rows."""
        return self.scoring.answered(rows)
