#!/usr/bin/env python3
"""Runs a program under the restrictions of a systemd unit that the kernel enforces by seccomp, without systemd.

usage: unit_restrictions.py UNIT PROGRAM [arguments]

Understands SystemCallFilter, SystemCallErrorNumber=EPERM, RestrictAddressFamilies, MemoryDenyWriteExecute,
NoNewPrivileges and UMask; what the groups of system calls hold is asked of systemd-analyze.
"""

import ctypes
import errno
import os
import re
import socket
import subprocess
import sys

ALLOW, DENY = 0x7FFF0000, 0x00050000 | errno.EPERM
EQUAL, MASKED_EQUAL = 4, 7
WRITE, EXECUTE = 2, 4
PR_SET_NO_NEW_PRIVS = 38


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operation", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def calls(words):
    """The names of system calls that a list of names and groups stands for."""
    names = set()
    for word in words:
        if not word.startswith("@"):
            names.add(word)
            continue
        listed = subprocess.run(["systemd-analyze", "syscall-filter", word], check=True, capture_output=True, text=True)
        members = [line.strip() for line in listed.stdout.splitlines()[1:]]
        names |= calls([member for member in members if member and not member.startswith("#")])
    return names


def settings(path):
    with open(path) as file:
        return [tuple(line.strip().split("=", 1)) for line in file if re.match(r"[A-Z]\w*=", line)]


def main():
    unit = settings(sys.argv[1])
    allowed = set()
    for name, value in unit:
        if name == "SystemCallFilter":
            if value.startswith("~"):
                allowed -= calls(value[1:].split())
            else:
                allowed |= calls(value.split())
    values = dict(unit)
    assert allowed and values["SystemCallErrorNumber"] == "EPERM" and values["NoNewPrivileges"] == "yes"

    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(DENY))

    def allow(name, *comparisons):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            return  # Not of this machine.
        array = (Comparison * len(comparisons))(*comparisons)
        assert library.seccomp_rule_add_array(context, ALLOW, number, len(comparisons), array) == 0, name

    if families := values.get("RestrictAddressFamilies"):
        allowed.discard("socket")
        for family in families.split():
            allow("socket", Comparison(0, EQUAL, int(getattr(socket, family)), 0))
    if values.get("MemoryDenyWriteExecute") == "yes":
        allowed -= {"mmap", "mmap2", "mprotect", "pkey_mprotect"}
        for bit in [WRITE, EXECUTE]:
            allow("mmap", Comparison(2, MASKED_EQUAL, bit, 0))
        allow("mprotect", Comparison(2, MASKED_EQUAL, EXECUTE, 0))
        allow("pkey_mprotect", Comparison(2, MASKED_EQUAL, EXECUTE, 0))
    for name in allowed:
        allow(name)

    os.umask(int(values.get("UMask", "022"), 8))
    assert ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert library.seccomp_load(context) == 0
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
