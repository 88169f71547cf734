# SPDX-License-Identifier: GPL-2.0-only
"""top_keys.py NODES: krgadm top as one sees it who sits before a terminal.

A shell on a pseudo terminal runs it; what it draws goes through the little there
is to a VT100, and is looked at as a screen: keys, sorting, help, scrolling,
other sizes of the window, stop and continue, and that the terminal is afterwards
as it was. Ends with 1 and the screen when something is not as it should be.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

PATIENCE = 30


class Screen:
    """What a VT100 shows."""

    def __init__(self, rows, columns):
        self.resize(rows, columns)
        self.rest = ""

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.row = self.column = 0
        self.saved = 0, 0
        self.top, self.bottom = 0, rows - 1
        self.cells = [[" "] * columns for _ in range(rows)]

    def line(self, row):
        return "".join(self.cells[row]).rstrip()

    def text(self):
        return "\n".join(self.line(row) for row in range(self.rows))

    def down(self):
        if self.row == self.bottom:
            del self.cells[self.top]
            self.cells.insert(self.bottom, [" "] * self.columns)
        else:
            self.row = min(self.rows - 1, self.row + 1)

    def up(self):
        if self.row == self.top:
            del self.cells[self.bottom]
            self.cells.insert(self.top, [" "] * self.columns)
        else:
            self.row = max(0, self.row - 1)

    def put(self, char):
        if self.column == self.columns:
            self.column = 0
            self.down()
        self.cells[self.row][self.column] = char
        self.column += 1

    def erase(self, begin, end):
        for at in range(begin, end):
            self.cells[at // self.columns][at % self.columns] = " "

    def control(self, text, final):
        numbers = [int(n) for n in re.findall(r"\d+", text)]
        first = numbers[0] if numbers else 0
        here = self.row * self.columns + min(self.column, self.columns - 1)
        if final == "H":
            self.row = min(max(first, 1), self.rows) - 1
            self.column = min(max(numbers[1] if len(numbers) > 1 else 1, 1), self.columns) - 1
        elif final == "J" and first == 0:
            self.erase(here, self.rows * self.columns)
        elif final == "J":
            self.erase(0, self.rows * self.columns)
        elif final == "K" and first == 1:
            self.erase(self.row * self.columns, here + 1)
        elif final == "K":
            self.erase(here, (self.row + 1) * self.columns)
        elif final == "A":
            self.row = max(0, self.row - max(first, 1))
        elif final == "B":
            self.row = min(self.rows - 1, self.row + max(first, 1))
        elif final == "C":
            self.column = min(self.columns - 1, self.column + max(first, 1))
        elif final == "D":
            self.column = max(0, self.column - max(first, 1))
        elif final == "r":
            self.top = (first or 1) - 1
            self.bottom = min(numbers[1] if len(numbers) > 1 else self.rows, self.rows) - 1
            self.row = self.column = 0
        elif final not in "mhl":
            sys.exit(f"a VT100 has no CSI {text}{final}")

    def feed(self, data):
        data = self.rest + data
        at = 0
        while at < len(data):
            match = re.compile(r"\x1b(\[[?\d;]*[A-Za-z]|[()].|[=>78M])").match(data, at)
            char = data[at]
            if match:
                at = match.end()
                if match[1][0] == "[":
                    self.control(match[1][1:-1], match[1][-1])
                elif match[1] == "M":
                    self.up()
                elif match[1] == "7":
                    self.saved = self.row, self.column
                elif match[1] == "8":
                    self.row, self.column = self.saved
                continue
            if char == "\x1b":
                break  # the rest of it is still to come
            at += 1
            if char == "\r":
                self.column = 0
            elif char == "\n":
                self.down()
            elif char == "\b":
                self.column = max(0, self.column - 1)
            elif char >= " ":
                self.put(char)
        self.rest = data[at:]


class Terminal:
    """A shell on a pseudo terminal."""

    def __init__(self, rows, columns):
        self.screen = Screen(rows, columns)
        self.commands = 0
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="vt100", PS1="ready$ ", LC_ALL="C")
            os.execvp("bash", ["bash", "--norc", "--noediting", "-i"])
        self.size(rows, columns)

    def size(self, rows, columns):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def listen(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return
        try:
            self.screen.feed(os.read(self.fd, 65536).decode(errors="replace"))
        except OSError:
            sys.exit("the shell has ended")

    def until(self, what, holds):
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                print(f"{what}: not so on a screen of {self.screen.columns}x{self.screen.rows}:")
                print(self.screen.text())
                sys.exit(1)
            self.listen(0.2)

    def shell(self, command):
        """Types it; its output, once the next prompt is there."""
        self.commands += 1
        self.type(f"clear; {command}; echo $? is the status of {self.commands}\r")
        end = re.compile(rf"^(\d+) is the status of {self.commands}\nready\$$", re.M)
        self.until(command, lambda: end.search(self.screen.text().rstrip()))
        return end.sub(r"status \1", self.screen.text().rstrip())


class Top:
    def __init__(self, terminal, nodes, options=""):
        self.t = terminal
        self.nodes = nodes
        self.t.type(f"clear; krgadm top {options}\r")
        self.complete("first look")

    def complete(self, what):
        self.t.until(what, self.is_complete)

    def head(self):
        rows = [r for r in range(self.t.screen.rows) if re.match(r" +[PT]ID NODE ", self.t.screen.line(r))]
        return rows[0] if rows else None

    def is_complete(self):
        return self.t.screen.line(0).startswith("krgadm top -") and self.head() is not None and self.processes()

    def processes(self):
        rows = range(self.head() + 1, self.t.screen.rows)
        return [self.t.screen.line(r) for r in rows if re.match(r" *\d+ ", self.t.screen.line(r))]

    def column(self, name):
        """What stands under a heading, right-aligned to it."""
        end = self.t.screen.line(self.head()).index(name) + len(name)
        return [line[:end].split()[-1] for line in self.processes()]

    def sorted_by(self, key, name, value, reverse):
        self.t.type(key)

        def holds():
            if not self.is_complete() or f", by {name}" not in self.t.screen.line(0):
                return False
            texts = self.column({"cpu": "%CPU", "pid": "PID", "node": "NODE", "mem": "RES"}[name])
            try:
                found = [value(text) for text in texts]
            except ValueError:
                return False  # half drawn: another column stands there yet
            return found == sorted(found, reverse=reverse)

        self.t.until(f"sorted by {name}", holds)


def size(text):
    return float(text.rstrip("kmgt")) * 1024 ** " kmgt".index(text[-1] if text[-1] in "kmgt" else " ")


def looks(t, nodes):
    before = t.shell("stty -g")
    top = Top(t, nodes, "-d 1")
    for node in range(1, nodes + 1):
        t.until(f"node {node} has bars", lambda n=node: re.search(rf"^node +{n} cpu\d+ +\[[| ]+\] *[\d.]+% mem\[[| ]+\]", t.screen.text(), re.M))
    t.until("the command is on a screen of 80 columns", lambda: "COMMAND" in t.screen.line(top.head()))
    first = t.screen.line(0)
    t.until("the next look", lambda: top.is_complete() and t.screen.line(0) != first)

    top.sorted_by("N", "pid", int, False)
    top.sorted_by("R", "pid", int, True)
    t.type("R")
    top.sorted_by("O", "node", int, False)
    top.sorted_by("M", "mem", size, True)
    top.sorted_by("P", "cpu", float, True)
    t.type("h")
    t.until("help", lambda: "Any key goes back." in t.screen.text())
    t.type("x")
    top.complete("back from help")
    t.type("+")
    t.until("a longer delay", lambda: "delay 2.0 s" in t.screen.text())

    top.sorted_by("N", "pid", int, False)
    first = top.processes()[0].split()[:2]
    second = top.processes()[1].split()[:2]
    t.type("\x1bOB")
    t.until("one line on", lambda: top.is_complete() and top.processes()[0].split()[:2] == second)
    t.type("\x1bOA" * 3)
    t.until("and back", lambda: top.is_complete() and top.processes()[0].split()[:2] == first)
    t.type("K")
    t.until("no kernel threads", lambda: top.is_complete() and "kthreadd" not in t.screen.text())
    t.type("HK")
    t.until("threads", lambda: top.is_complete() and t.screen.line(top.head()).split()[0] == "TID")
    t.type("H")
    t.until("processes", lambda: top.is_complete() and t.screen.line(top.head()).split()[0] == "PID")
    return before, top


def sizes(t, top):
    for rows, columns in ((5, 20), (3, 10), (50, 200), (24, 80), (60, 30), (24, 80)):
        t.size(rows, columns)
        if rows < 5:
            time.sleep(0.5)  # all there is to see is that it lives on
            t.listen(0)
            continue
        top.complete(f"resized to {columns}x{rows}")
        if columns == 200:
            t.until("all of a node", lambda: re.search(r" load .* tasks .* up ", t.screen.line(1)))
            t.until("all of a process", lambda: t.screen.line(top.head()).split() == "PID NODE HOME USER PR NI VIRT RES SHR S %CPU %MEM TIME+ COMMAND".split())
        t.until("no row too long", lambda: len(top.processes()) >= min(rows - 4, 2))


def ends(t, nodes, before, top):
    t.type("\x1a")
    t.until("stopped", lambda: re.search(r"Stopped +krgadm top.*\nready\$$", t.screen.text().rstrip()))
    stopped = t.shell("stty -g")
    t.screen.resize(24, 80)
    t.type("fg\r")
    top.complete("continued")
    for key in "q", "\x03":
        t.type(key)
        t.until("the prompt", lambda: t.screen.text().rstrip().endswith("ready$"))
        after = t.shell("stty -g")
        if before != after or before != stopped:
            sys.exit(f"the terminal was\n{before}\nis\n{after}\nand was, stopped,\n{stopped}")
        if key == "q":
            top = Top(t, nodes)
    if not t.shell("krgadm top -n 1 -d 0.1").endswith("status 0"):
        sys.exit("-n 1 on a terminal: " + t.screen.text())
    for command, why in (("TERM=dumb krgadm top", "of type 'dumb'"), ("TERM=nosuch krgadm top", "of type 'nosuch'"),
                         ("krgadm top </dev/null", "standard input is no terminal")):
        said = t.shell(command)
        if why not in said or not said.endswith("status 1"):
            sys.exit(f"{command}: {said}")


def hangs_up(t, nodes):
    """The terminal goes, and the signal that tells so is ignored: it still ends."""
    t.type("trap '' HUP; echo $$; exec krgadm top\r")
    t.until("the last one", lambda: t.screen.line(0).startswith("krgadm top -"))
    os.close(t.fd)
    end = time.monotonic() + PATIENCE
    while os.waitpid(t.pid, os.WNOHANG) == (0, 0):
        if time.monotonic() > end:
            os.kill(t.pid, signal.SIGKILL)
            sys.exit("it goes on without a terminal")
        time.sleep(0.1)


def main():
    nodes = int(sys.argv[1])
    t = Terminal(24, 80)
    before, top = looks(t, nodes)
    sizes(t, top)
    ends(t, nodes, before, top)
    hangs_up(t, nodes)


main()
