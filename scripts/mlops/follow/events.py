"""What happens, one line an event: for people, or as JSON for machines."""

import json
from datetime import datetime

import click

from mlops.follow.status import moment

Value = str | int | float | None


class Events:
    """Prints the events of one environment's follower."""

    def __init__(self, environment: str, *, as_json: bool) -> None:
        self.environment = environment
        self.as_json = as_json

    def say(self, event: str, text: str, service: str | None = None, **facts: Value) -> None:
        """Print one event.

        Args:
            event: its name, for machines.
            text: the line, for people.
            service: whom it concerns; None for the follower itself.
            facts: what machines get beside the text.
        """
        if self.as_json:
            where = {"environment": self.environment, "service": service}
            click.echo(json.dumps({"at": moment(), "event": event, **where, "text": text, **facts}))
            return
        name = f"{self.environment}/{service}" if service else self.environment
        click.echo(f"{datetime.now().astimezone():%H:%M:%S} {name} {text}")
