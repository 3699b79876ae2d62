"""A client that says nothing gets its mail again after the broker was away, whether it can see that or not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import zmq

from protocol.keys import KeyPair
from tests.torture.stage import HOST, Broker, Stage
from transport import curve

pytestmark = pytest.mark.timeout(900)  # for machines that are slow: each wait has a bound of its own


def test_an_idle_client_gets_mail_again_from_a_restarted_broker(stage: Stage) -> None:
    alice, bob = stage.device("alice-1"), stage.device("bob-1")
    alice.come()
    bob.come()
    stage.broker.kill()
    bob.wait(lambda: not bob.is_online(), "sees that the broker is away")
    stage.broker.start()
    bob.wait_for(alice.type("bob"))
    assert bob.typed == 0


def test_an_idle_client_that_does_not_see_the_restart_gets_mail_again(stage: Stage) -> None:
    """Between it and the broker is something that connects again by itself: nothing tells it that the session is gone.

    What brings it back is its own sign of life, and the answer to that: Stranger.
    """
    alice = stage.device("alice-1")
    alice.come()
    pair = curve.make_pair()
    with relay(stage.broker, pair) as port:
        bob = stage.device("bob-1", "--json", "--follow", "--key", pair.public, broker=(HOST, port))
        bob.come()
        bob.wait(lambda: bob.events("who"), "knows who is here, and has nothing more to ask")
        stage.broker.kill()
        stage.broker.start()
        bob.wait_for(alice.type("bob"))
        assert bob.typed == 0
        assert bob.events("offline") == []
        bob.clear()


@contextmanager
def relay(broker: Broker, pair: KeyPair) -> Iterator[int]:
    """Hands frames of one client on, both ways; its port. To the client it is the owner of this pair of keys.

    An honest one has to be trusted in the broker's place: what hands on encrypted bytes can't connect again unseen.
    """
    with zmq.Context() as context:
        front, back, end = context.socket(zmq.ROUTER), context.socket(zmq.DEALER), context.socket(zmq.PULL)
        front.linger = back.linger = 0
        back.reconnect_ivl = 20
        front.curve_server, front.curve_secretkey = True, pair.secret
        curve.speak(back, curve.make_pair(), broker.key)
        back.connect(f"tcp://{HOST}:{broker.port}")
        port = front.bind_to_random_port(f"tcp://{HOST}")
        end.bind("inproc://end")
        thread = threading.Thread(target=_hand_on, args=(front, back, end))
        thread.start()
        try:
            yield port
        finally:
            with context.socket(zmq.PUSH) as push:
                push.connect("inproc://end")
                push.send(b"")
                thread.join()


def _hand_on(front: zmq.Socket[bytes], back: zmq.Socket[bytes], end: zmq.Socket[bytes]) -> None:
    client = b""
    poller = zmq.Poller()
    for source in (front, back, end):
        poller.register(source, zmq.POLLIN)
    with front, back, end:
        while end not in (ready := dict(poller.poll())):
            if front in ready:
                client, frame = front.recv_multipart()
                back.send(frame)
            if back in ready:
                front.send_multipart([client, back.recv()])
