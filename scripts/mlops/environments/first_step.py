"""What brings the first release of a service into an environment."""

from mlops.data.waiting import waits_for_data
from mlops.errors import MlopsError
from mlops.repository import Layout, release_path


def first_step(layout: Layout, environment: str, service: str) -> str:
    """The next step, from what the environments before this one hold; for people."""
    before = layout.previous(environment)
    while before is not None and layout.tree.read(release_path(before, service)) is None:
        environment, before = before, layout.previous(before)
    if before is not None:
        return f"mlops promote {service} --to {environment}"
    return _waits(layout, service) or f"mlops release {service}"


def _waits(layout: Layout, service: str) -> str | None:
    """That a model of the service has no data yet; a service that cannot be read waits for none."""
    try:
        models = layout.service(service).models
    except MlopsError:
        return None
    lines = (waits_for_data(layout, model) for model in models)
    return next((line for line in lines if line), None)
