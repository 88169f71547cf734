# SPDX-License-Identifier: GPL-2.0-only
"""A stranger on the network, who sees beacons (UDP, port 2641) and sends what he likes.

beacon.py listen ADDRESS    says what 8 beacons of a node have in common
beacon.py attack SECONDS    sends nonsense, pieces and copies of beacons to everybody
"""
import os
import random
import socket
import sys
import time

PORT = 2641
CLEAR = 6  # bytes: that it is a beacon, its version, the session
MAC = 32


def beacons(address=None):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    sock.bind(("eth0", 0))
    while True:
        data = sock.recv(4096)
        head = (data[0] & 15) * 4
        if data[9] != socket.IPPROTO_UDP or int.from_bytes(data[head + 2:head + 4], "big") != PORT:
            continue
        if not address or data[12:16] == socket.inet_aton(address):
            yield data[head + 8:head + int.from_bytes(data[head + 4:head + 6], "big")]


def listen(address):
    heard = [b for b, _ in zip(beacons(address), range(8))]
    hidden = [b[CLEAR:-MAC] for b in heard]
    alike = sum(x == y for a, b in zip(hidden, hidden[1:]) for x, y in zip(a, b))
    of = sum(len(h) for h in hidden[1:])
    same = len({b[:CLEAR] for b in heard}) == 1
    print("hidden" if same and alike * 20 < of else f"seen: {alike} of {of} bytes are alike, head: {same}")


def attack(seconds):
    seed = int.from_bytes(os.urandom(4), "big")
    print("seed", seed)
    dice = random.Random(seed)
    heard = [b for b, _ in zip(beacons(), range(12))]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    end, sent = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = bytearray(dice.choice(heard))
        kind = dice.randrange(5)
        if kind == 0:
            data = bytearray(dice.randbytes(dice.randrange(1400)))
        elif kind == 1:
            del data[dice.randrange(len(data)):]
        elif kind == 2:
            data += dice.randbytes(dice.randrange(1, 900))
        elif kind == 3:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        sock.sendto(bytes(data), ("192.168.0.255", PORT))
        sent += 1
        time.sleep(0.002)
    print(sent, "sent")


if sys.argv[1] == "listen":
    listen(sys.argv[2])
else:
    attack(float(sys.argv[2]))
