"""Writes an OCI archive (image-spec 1.0: a tar of an OCI image layout) whose layers are folders.

    write.py -o FILE --epoch SECONDS [--architecture NAME] FOLDER...

User, entry point and labels are the Dockerfile's. The same folders give the same bytes: entries are sorted, owners are numbers, nothing is
newer than the epoch, and device nodes and sockets are left out.
"""
import argparse
import datetime
import gzip
import hashlib
import io
import json
import os
import pathlib
import stat
import tarfile

from dockerfile import PATH, final_stage

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
INDEX = "application/vnd.oci.image.index.v1+json"
SEARCH_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def entries(folder):
    """All paths below a folder, parents first, in the order of their names."""
    for path in sorted(pathlib.Path(folder).rglob("*"), key=lambda path: path.parts):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode):
            yield path


def layer(folder, epoch):
    """(compressed bytes, digest of what is in them)."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in entries(folder):
            entry = archive.gettarinfo(path, str(path.relative_to(folder)))
            entry.mtime = min(int(entry.mtime), epoch)
            entry.uname = entry.gname = ""
            if entry.isreg():
                with open(path, "rb") as file:
                    archive.addfile(entry, file)
            else:
                archive.addfile(entry)
    return gzip.compress(plain.getvalue(), 6, mtime=0), digest(plain.getvalue())


def digest(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def text(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Archive:
    """The layout's files, and what describes a blob in them."""

    def __init__(self):
        self.files = {"oci-layout": text({"imageLayoutVersion": "1.0.0"})}

    def add(self, data, media_type, **more):
        self.files[f"blobs/sha256/{digest(data).removeprefix('sha256:')}"] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data), **more}

    def write(self, path, epoch):
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
            for name in sorted(self.files):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mtime, entry.mode = len(self.files[name]), epoch, 0o644
                archive.addfile(entry, io.BytesIO(self.files[name]))


def image(folders, epoch, architecture):
    described = final_stage(PATH.read_text())
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    archive, layers, diff_ids = Archive(), [], []
    for folder in folders:
        data, diff_id = layer(folder, epoch)
        layers.append(archive.add(data, LAYER))
        diff_ids.append(diff_id)
    config = {
        "created": created, "architecture": architecture, "os": "linux",
        "config": {
            "User": described["user"], "Env": [SEARCH_PATH], "Entrypoint": described["entrypoint"], "Labels": described["labels"],
        },
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": created, "created_by": f"hack/image: {os.path.basename(folder)}"} for folder in folders],
    }
    manifest = {
        "schemaVersion": 2, "mediaType": MANIFEST, "config": archive.add(text(config), CONFIG), "layers": layers,
        "annotations": described["labels"],
    }
    version = described["labels"]["org.opencontainers.image.version"]
    listed = archive.add(
        text(manifest), MANIFEST, platform={"architecture": architecture, "os": "linux"},
        annotations={"org.opencontainers.image.ref.name": version})
    archive.files["index.json"] = text({"schemaVersion": 2, "mediaType": INDEX, "manifests": [listed]})
    return archive


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--epoch", type=int, required=True)
    parser.add_argument("--architecture", default="amd64")
    parser.add_argument("folders", nargs="+")
    options = parser.parse_args()
    image(options.folders, options.epoch, options.architecture).write(options.output, options.epoch)


if __name__ == "__main__":
    main()
