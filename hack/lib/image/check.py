"""Checks an OCI archive against the image specification, and unpacks its layers as a container runtime does.

    check.py ARCHIVE [--unpack FOLDER]

Prints the sizes; exits with what is wrong. Unpacking keeps owners, so it needs root.
"""
import argparse
import gzip
import hashlib
import io
import json
import pathlib
import re
import sys
import tarfile

from write import CONFIG, INDEX, LAYER, MANIFEST


class Invalid(Exception):
    """What is wrong with the archive."""


def expect(holds, message):
    if not holds:
        raise Invalid(message)


def contents(path):
    with tarfile.open(path) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive if entry.isreg()}


def blob(files, descriptor, media_type):
    """The bytes that a descriptor is about: of its type, its size, and its digest."""
    name = descriptor["digest"]
    expect(descriptor["mediaType"] == media_type, f"{name}: the media type is {descriptor['mediaType']}, not {media_type}")
    expect(re.fullmatch(r"sha256:[0-9a-f]{64}", name), f"{name}: no SHA-256 digest")
    data = files.get(f"blobs/sha256/{name.removeprefix('sha256:')}")
    expect(data is not None, f"{name}: no such blob")
    expect(len(data) == descriptor["size"], f"{name}: {len(data)} bytes, said to be {descriptor['size']}")
    expect(hashlib.sha256(data).hexdigest() == name.removeprefix("sha256:"), f"{name}: the blob has another digest")
    return data


def checked(path):
    """(config, layers as plain tar bytes, layers as they are); raises Invalid."""
    files = contents(path)
    expect(json.loads(files.get("oci-layout", b"{}")) == {"imageLayoutVersion": "1.0.0"}, "oci-layout: not version 1.0.0")
    index = json.loads(files["index.json"])
    expect(index["schemaVersion"] == 2 and index["mediaType"] == INDEX, "index.json: no index of schema version 2")
    expect(len(index["manifests"]) == 1, "index.json: more or less than one image")
    manifest = json.loads(blob(files, index["manifests"][0], MANIFEST))
    expect(manifest["schemaVersion"] == 2 and manifest["mediaType"] == MANIFEST, "the manifest has another schema")
    config = json.loads(blob(files, manifest["config"], CONFIG))
    compressed = [blob(files, layer, LAYER) for layer in manifest["layers"]]
    layers = [gzip.decompress(data) for data in compressed]
    found = [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in layers]
    expect(config["rootfs"] == {"type": "layers", "diff_ids": found}, "rootfs.diff_ids are not the layers' digests")
    expect(len(config["history"]) == len(layers), "history has not one entry per layer")
    expect(config["os"] == "linux" and config["architecture"] in ("amd64", "arm64"), "no known platform")
    uid, _, gid = config["config"]["User"].partition(":")
    expect(uid.isdigit() and gid.isdigit() and int(uid) and int(gid), f"the user {config['config']['User']} may be root")
    expect(config["config"]["Entrypoint"], "no entry point")
    used = {d["digest"] for d in (index["manifests"][0], manifest["config"], *manifest["layers"])}
    stored = {f"sha256:{name.rpartition('/')[2]}" for name in files if name.startswith("blobs/")}
    expect(used == stored, f"blobs that nothing names: {sorted(stored - used)}")
    return config, layers, compressed


def unpack(layers, folder):
    for data in layers:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(folder, numeric_owner=True, filter="fully_trusted")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive")
    parser.add_argument("--unpack", metavar="FOLDER")
    options = parser.parse_args()
    try:
        config, layers, compressed = checked(options.archive)
    except (Invalid, KeyError, ValueError, OSError, tarfile.TarError) as problem:
        sys.exit(f"{options.archive}: {problem}")
    if options.unpack:
        pathlib.Path(options.unpack).mkdir(parents=True, exist_ok=True)
        unpack(layers, options.unpack)
    print(f"platform      {config['os']}/{config['architecture']}, user {config['config']['User']}, entry point {config['config']['Entrypoint'][0]}")
    for index, (plain, packed) in enumerate(zip(layers, compressed)):
        print(f"layer {index}       {len(packed) / 1e6:6.1f} MB compressed, {len(plain) / 1e6:6.1f} MB unpacked: {config['history'][index]['created_by']}")
    print(f"image         {sum(map(len, compressed)) / 1e6:6.1f} MB compressed, {sum(map(len, layers)) / 1e6:6.1f} MB unpacked")


if __name__ == "__main__":
    main()
