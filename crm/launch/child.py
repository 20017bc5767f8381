"""Becomes another program that dies with the process that asked for it.

Run as a script: `python -I -S child.py PARENT_PID SIGNAL UID:GID PROGRAM ARGUMENT...` (`-` for no change of user).
The kernel forgets the death signal when a process changes its user, so the user is changed first.
PROGRAM is an absolute path: after the change of user, Python's own files may be out of reach.
SIGNAL 0 asks for the opposite: the program goes on in the background when its parent ends.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def become(parent: int, death_signal: int, user: str, command: list[str]) -> None:
    """Replace this process by `command`, to receive `death_signal` when `parent` ends.

    Exits with 1 when the parent ended before the signal could be asked for.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if user != "-":
        uid, gid = (int(part) for part in user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if death_signal == 0:
        if os.fork():
            os._exit(0)
        os.execv(command[0], command)  # noqa: S606 -- the program is chosen by the launcher, never by a request
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        sys.exit(f"prctl failed: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 -- the program is chosen by the launcher, never by a request


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
