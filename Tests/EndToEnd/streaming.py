"""Streamed answers that take their time, to see whether anything cuts them."""
import http.client
import json
import threading
import urllib.parse

from harness import connect


class Stream(threading.Thread):
    """A streamed chat of `tokens` tokens, read to its end in the background."""

    def __init__(self, gateway, model, tokens):
        super().__init__(daemon=True)
        self.gateway, self.model, self.wanted = gateway, model, tokens
        self.status, self.events, self.problem = None, [], None
        self.start()

    def run(self):
        connection = connect(self.gateway, timeout=120)
        path = urllib.parse.urlparse(self.gateway).path.rstrip("/") + "/v1/chat/completions"
        try:
            body = {"model": self.model, "stream": True, "max_tokens": self.wanted, "messages": [{"role": "user", "content": "Hi"}]}
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            self.status = response.status
            for line in response:
                if line.startswith(b"data: "):
                    self.events.append(line[6:].strip())
        except (OSError, http.client.HTTPException) as problem:
            self.problem = problem
        finally:
            connection.close()

    @property
    def tokens(self):
        choices = [json.loads(event)["choices"] for event in self.events if event != b"[DONE]"]
        return sum(1 for choice in choices if choice and choice[0]["delta"].get("content"))

    @property
    def is_whole(self):
        return self.problem is None and self.status == 200 and self.events[-1:] == [b"[DONE]"] and self.tokens == self.wanted

    def __repr__(self):
        return f"stream({self.status}, {self.tokens} of {self.wanted} tokens, {self.problem!r})"
