"""The flight-delay service: how likely a flight is to arrive late."""

from typing import Any

import bentoml

from mlops.serving.route import Scoring, model_beside

delay = model_beside(__file__, "flight-delay")


@bentoml.service(name="flight-delay")
class Service:
    """How likely a flight from New York is to arrive 15 minutes late or later."""

    scoring = Scoring(delay.features.record, delay.score, plausible=(0.0, 1.0), models=(delay,))

    @bentoml.api(route="/predict", input_spec=scoring.request, output_spec=scoring.answer)
    def predict(self, rows: list[Any]) -> Any:
        """Probability that each flight is late, in the order of the rows."""
        return self.scoring.answered(rows)
