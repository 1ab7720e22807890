"""Recorded API conversations: what kubectl and Pilotlight say to a Kubernetes API server, and what one answers."""
import pathlib

import yaml

FOLDER = pathlib.Path(__file__).parent


def table(name):
    """The conversations of one file."""
    with open(FOLDER / f"{name}.yaml", encoding="utf-8") as file:
        return yaml.safe_load(file)
