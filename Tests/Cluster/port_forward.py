"""`kubectl port-forward` to the gateway's Service, for clusters whose gateway has no address that is reached from here."""
import re
import subprocess
import threading


class PortForward:
    """Started again on the same port when it ends: it does not outlive the pod that it leads to."""

    def __init__(self, kubectl, service):
        self.kubectl, self.service = kubectl, service
        self.port, self.process = 0, None

    @property
    def url(self):
        if self.process is None or self.process.poll() is not None:
            self.start()
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        namespace, _, name = self.service.partition("/")
        self.process = subprocess.Popen(
            [self.kubectl, "port-forward", "-n", namespace, f"service/{name}", f"{self.port or ''}:80"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = []
        for line in self.process.stdout:
            said.append(line.strip())
            if found := re.match(r"Forwarding from 127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                # What it says later must not fill the pipe.
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return
        raise OSError(f"kubectl port-forward to service {self.service}: {' '.join(said) or 'it said nothing'}")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
