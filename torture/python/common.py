"""What the clients of the torture test share: the history that they write, the signal that ends them, and settings by which
librdkafka finds its way again soon.

A history is a file with a line an event. Lines that begin with a word and MS carry the time: milliseconds since 1970.
"""

import signal
import time

from confluent_kafka import KafkaError

# What is no fault of the cluster's, but the news of one that the client survives.
NEWS = {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE}

QUICK = {
    "retry.backoff.ms": 20,
    "reconnect.backoff.ms": 20,
    "reconnect.backoff.max.ms": 200,
    "topic.metadata.refresh.fast.interval.ms": 50,
    # A host that says nothing is given up before a client's default of a minute.
    "socket.timeout.ms": 10_000,
    "socket.connection.setup.timeout.ms": 3_000,
    "log_level": 0,
}


def now_ms():
    return time.time_ns() // 1_000_000


class Stop:
    """Whether SIGTERM has come. Ctrl-C is for who started the client."""

    def __init__(self):
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _ask(self, *_):
        self.asked = True


def value_of(message):
    """A record's value without its padding."""
    return message.value().rsplit(b".", 1)[0].decode("ascii", "replace")


def write_error(history, error):
    history.write(f"error {now_ms()} {error.name()} {error.str()}\n")


def consumer_failed(history, news=NEWS):
    """Writes down what a consumer was told, unless it is news."""

    def failed(error):
        if error.fatal() or error.code() not in news:
            write_error(history, error)

    return failed
