"""mlops doctor names what is lacking and how to mend it."""

from tests.team import Team


def test_a_sound_clone_lacks_nothing(team: Team) -> None:
    done = team.mlops("doctor")
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("nothing is lacking\n")


def test_everything_lacking_is_told_at_once(team: Team) -> None:
    team.write("environments/dev/toy/settings.yaml", "service: toy\nlocal_port: 8000\n")
    team.write("environments/prod/toy/settings.yaml", "service: toy\nlocal_port: 8000\n")
    team.write("environments/prod/ghost/settings.yaml", "service: ghost\nlocal_port: 8001\n")
    team.git("remote", "remove", "origin")
    done = team.mlops("doctor")
    assert done.returncode == 1
    lacking = [line.strip() for line in done.stdout.splitlines() if line.startswith("        ")]
    port = "local_port 8000 is used by 2 services; give each service of each environment a port of its own"
    assert lacking == [
        "git remote origin: is not set in this clone; git remote add origin URL, or correct [forge] in mlops.toml",
        "environments/prod/ghost: is the folder of a service that is not in apps/; add apps/ghost/ or remove the folder",
        f"environments/dev/toy/settings.yaml: {port}",
        f"environments/prod/toy/settings.yaml: {port}",
    ]
