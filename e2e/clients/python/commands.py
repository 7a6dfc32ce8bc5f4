"""What all Python clients share: commands on stdin, a JSON object a line, each answered by one on stdout; and records as they
travel there, bytes in base64 and None as null. e2e/src/clients.rs says which commands there are.
"""

import base64
import json
import sys
import threading
import time

# How long any one command may take before it is an error.
PATIENCE_SECONDS = 60


def encoded(data):
    return None if data is None else base64.b64encode(data).decode()


def decoded(text):
    return None if text is None else base64.b64decode(text)


def headers_of(record):
    """The headers of a record that is to be sent, as every client here takes them."""
    return [(header["name"], decoded(header["value"])) for header in record["headers"]]


def received(topic, partition, offset, timestamp, key, value, headers):
    """A record that was read, as it is answered."""
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "timestamp": timestamp,
        "key": encoded(key),
        "value": encoded(value),
        "headers": [{"name": name, "value": encoded(data)} for name, data in headers or []],
    }


def refusal(attempt):
    """What stopped `attempt`, and how long that took."""
    began, stopped_by = time.monotonic(), None
    try:
        attempt()
    except Exception as error:
        stopped_by = f"{type(error).__name__}: {error}"
    return {"refusal": stopped_by, "seconds": time.monotonic() - began}


def serve(client):
    """Calls the client's method that a command names, with the rest of the command as its arguments."""
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(client, command.pop("do"))(**command)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


class Members:
    """The members of groups that this process has, by group: each polls in a thread of its own.

    A member is an object with `poll()`, which reads what has come and returns partitions and offsets, `owned()`, which names
    the partitions that it owns, and `close()`, which commits and leaves. All of them are called in its thread.
    """

    def __init__(self):
        self.threads = {}

    def join(self, group, member):
        self.threads[group] = Polling(member)
        return {}

    def owned(self, group):
        return self.threads[group].state()

    def leave(self, group):
        return self.threads.pop(group).stop()


class Polling:
    def __init__(self, make_member):
        self.mutex = threading.Lock()
        self.stopped = threading.Event()
        self.mine, self.read, self.error = [], [], None
        self.thread = threading.Thread(target=self.run, args=(make_member,), daemon=True)
        self.thread.start()

    def run(self, make_member):
        try:
            member = make_member()
            while not self.stopped.is_set():
                came = member.poll()
                with self.mutex:
                    self.read += came
                    self.mine = member.owned()
            member.close()
        except Exception as error:
            self.error = error

    def state(self):
        if self.error is not None:
            raise self.error
        with self.mutex:
            return {"owned": list(self.mine), "read": list(self.read)}

    def stop(self):
        self.stopped.set()
        self.thread.join(PATIENCE_SECONDS)
        return {"read": self.state()["read"]}
