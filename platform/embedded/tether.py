"""Runs one command that ends when its parent ends. A script, started with `python -I -S`; imports no sibling.

    tether.py PARENT SIGNAL IDENTITY COMMAND [ARGUMENT ...]

PARENT is the process id of whoever starts this; SIGNAL is what the kernel sends to the command when that
thread is gone, also by `kill -9`. IDENTITY is `same`, `mapped` (root shows itself as user 1000, in a user
namespace; its files stay root's) or `UID:GID`. Done in a process of its own rather than between fork and
exec, where Python code may deadlock as soon as the parent has threads. Outside Linux there is no such
signal, and only the identity is changed.
"""

from __future__ import annotations

import ctypes  # here and not where it is used: another identity may not be able to read the library
import os
import signal
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
MAPPED_UID = 1000


def show_root_as_user() -> None:
    """PostgreSQL refuses user 0. Raises OSError where user namespaces are not allowed."""
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("gid_map", f"{MAPPED_UID} {gid} 1"),
        ("uid_map", f"{MAPPED_UID} {uid} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(text, encoding="ascii")


def become(identity: str) -> None:
    if identity == "mapped":
        show_root_as_user()
    elif identity != "same":
        uid, gid = (int(part) for part in identity.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def end_with_parent(number: int) -> None:
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, number) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def main() -> None:
    parent, number, identity, *command = sys.argv[1:]
    become(identity)
    end_with_parent(int(number))  # after `become`: a change of identity clears it
    if os.getppid() != int(parent):
        sys.exit(1)  # the parent went before the kernel knew of us
    # Python ignores these, and what is ignored stays ignored across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 - running a command is what this is for


if __name__ == "__main__":
    main()
