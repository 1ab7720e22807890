"""What the Dockerfile says of the image: the one place that says it, for `docker build` and for hack/image.

    dockerfile.py FIELD        prints packages (one per line), or user, entrypoint or version
"""
import json
import pathlib
import re
import shlex
import sys

PATH = pathlib.Path(__file__).resolve().parents[3] / "Dockerfile"


def instructions(text):
    """(stage, instruction, argument) of each; stages count from 0, continued lines are joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    stage, found = -1, []
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        word, argument = line.split(None, 1)
        stage += word == "FROM"
        found.append((stage, word, argument))
    return found


def final_stage(text):
    """Of the last stage: base, packages, labels, user, entrypoint."""
    all_instructions = instructions(text)
    last = all_instructions[-1][0]
    image = {"packages": [], "labels": {}, "user": "", "entrypoint": []}
    for stage, word, argument in all_instructions:
        if stage != last:
            continue
        if word == "FROM":
            image["base"] = argument
        elif word == "RUN":
            for command in argument.split("&&"):
                words = shlex.split(command)
                if words[:2] == ["apt-get", "install"]:
                    image["packages"] += [package for package in words[2:] if not package.startswith("-")]
        elif word == "LABEL":
            image["labels"].update(pair.split("=", 1) for pair in shlex.split(argument))
        elif word == "USER":
            image["user"] = argument
        elif word == "ENTRYPOINT":
            image["entrypoint"] = json.loads(argument)
    return image


def main():
    image = final_stage(PATH.read_text())
    fields = {
        "packages": image["packages"],
        "user": [image["user"]],
        "entrypoint": image["entrypoint"],
        "version": [image["labels"]["org.opencontainers.image.version"]],
    }
    if len(sys.argv) != 2 or sys.argv[1] not in fields:
        sys.exit(f"usage: dockerfile.py {'|'.join(fields)}")
    print("\n".join(fields[sys.argv[1]]))


if __name__ == "__main__":
    main()
