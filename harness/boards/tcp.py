"""TCP sockets of this machine and who holds them, from /proc: for emulators that can only be reached over a port."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_ESTABLISHED, _LISTEN = 0x01, 0x0A


@dataclass(frozen=True)
class TcpSocket:
    """A socket.

    Attributes:
        address, port: its own end.
        peer_port: of the other end; 0 while it listens.
        state: the kernel's number.
        inode: what descriptors of processes name it by.
    """

    address: str
    port: int
    peer_port: int
    state: int
    inode: int

    @property
    def listens(self) -> bool:
        """Whether it waits for connections."""
        return self.state == _LISTEN

    @property
    def connected(self) -> bool:
        """Whether it has a connection."""
        return self.state == _ESTABLISHED

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        address = ipaddress.ip_address(self.address)
        mapped = getattr(address, "ipv4_mapped", None)
        return bool((mapped or address).is_loopback)


def tcp_sockets() -> tuple[TcpSocket, ...]:
    """All of this network namespace; none where the system does not tell (not Linux)."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                (address, port), (_, peer) = (field.split(":") for field in fields[1:3])
                state, inode = int(fields[3], 16), int(fields[9])
                found.append(TcpSocket(_address(address), int(port, 16), int(peer, 16), state, inode))
    return tuple(found)


def process_tree(root: int) -> frozenset[int]:
    """Process ids of `root`, of what it started, and of what is in its process group."""
    parents: dict[int, int] = {}
    members = {root}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            # the name in parentheses may hold anything
            fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            parents[int(entry.name)] = int(fields[1])
            if int(fields[2]) == root:
                members.add(int(entry.name))
    while more := {pid for pid, parent in parents.items() if parent in members} - members:
        members |= more
    return frozenset(members)


def sockets_of(processes: Iterable[int]) -> tuple[TcpSocket, ...]:
    """The TCP sockets that these processes hold, as far as this user may see."""
    inodes = set()
    for pid in processes:
        with contextlib.suppress(OSError):
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    target = os.readlink(descriptor)
                    if target.startswith("socket:["):
                        inodes.add(int(target[8:-1]))
    return tuple(each for each in tcp_sockets() if each.inode in inodes)


def _address(text: str) -> str:
    """An address as /proc writes it: 32-bit words in this machine's byte order, in hex."""
    words = (int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8))
    return str(ipaddress.ip_address(b"".join(words)))
