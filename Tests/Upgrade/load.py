"""Callers that never stop while versions change under them."""
import http.client
import threading

from harness import chat
from streaming import Stream

TOKENS = 40


class Load:
    """Short requests and streams to one model, from four callers. Leaving the `with` block fails where one was not served."""

    def __init__(self, fleet, model):
        self.fleet, self.model = fleet, model
        self.is_over, self.lock = threading.Event(), threading.Lock()
        self.answered, self.streamed, self.failures = 0, 0, []
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self.ask, self.ask, self.stream, self.stream)]

    def ask(self):
        while not self.is_over.is_set():
            try:
                status, _, body = chat(self.fleet.gateway, self.model)
                problem = None if status == 200 else (status, body)
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
            with self.lock:
                self.answered += 1
                if problem:
                    self.failures.append(problem)
            self.is_over.wait(0.05)

    def stream(self):
        while not self.is_over.is_set():
            stream = Stream(self.fleet.gateway, self.model, TOKENS)
            stream.join()
            with self.lock:
                self.streamed += 1
                if not stream.is_whole:
                    self.failures.append(stream)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join(120)
        if kind is None:
            print(f"{self.answered} requests, {self.streamed} streams, {len(self.failures)} failures")
            assert not self.failures, self.failures
            assert self.answered > 20 and self.streamed > 4, (self.answered, self.streamed)
