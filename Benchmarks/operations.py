#!/usr/bin/env python3
"""The figures an operator lives by, tried on the real thing.

usage: operations.py [--server PATH] [--only NAME]

  metrics    /metrics of a server under a little load passes `promtool check metrics`
  dashboard  a real Prometheus scrapes the server as in Configs/prometheus.yml; every query of
             Configs/grafana-dashboard.json then has an answer with a number in it
  unit       `systemd-analyze` finds no fault in Configs/pensieve.service and an exposure of 3.0 or less, and the server
             works under the unit's restrictions of system calls, addresses and memory, applied by seccomp

Needs prometheus and systemd (Debian's will do). Exit status 1 if anything failed.
"""

import argparse
import http.client
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from replicas import ROOT, free_port  # noqa: E402
from robustness import Server, Stream  # noqa: E402
import unit_restrictions  # noqa: E402

PATHS = os.environ["PATH"] + ":/usr/sbin"


def load(server, seconds):
    """Answers and refusals of every kind, for so long."""
    end = time.time() + seconds
    count = 0
    while time.time() < end:
        count += 1
        question = "Numbers are added with care. " * 30 + f"What is {10 + count % 80} + 21?"
        Stream(server, question, 30).read()
        leaver = Stream(server, "word " * 40, 200)
        leaver.read(until_deltas=1)
        leaver.connection.close()
        server.get("/health")
        server.get("/nothing")
        Stream(server, "", 1).read()  # An empty message: 400.
        time.sleep(0.1)


def metrics(path):
    server = Server(path)
    load(server, 2)
    text = server.get("/metrics").decode()
    server.stop()
    check = subprocess.run([shutil.which("promtool"), "check", "metrics"], input=text, text=True, capture_output=True)
    names = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    wanted = {"pensieve_build_info", "process_resident_memory_bytes", "process_open_fds", "process_max_fds",
              "process_start_time_seconds", "process_cpu_seconds_total", "process_virtual_memory_bytes"}
    print(f"  {len(names)} families, missing {sorted(wanted - names)}; promtool: "
          f"{check.returncode} {(check.stdout + check.stderr).strip()}")
    return check.returncode == 0 and not check.stderr and wanted <= names


class Prometheus:
    def __init__(self, folder, server_port):
        self.port = free_port()
        with open(os.path.join(ROOT, "Configs", "prometheus.yml")) as file:
            text = file.read()
        assert text.count("127.0.0.1:7777") == 1 and text.count("scrape_interval: 15s") == 1
        text = text.replace("127.0.0.1:7777", f"127.0.0.1:{server_port}").replace("interval: 15s", "interval: 1s")
        with open(os.path.join(folder, "prometheus.yml"), "w") as file:
            file.write(text)
        self.process = subprocess.Popen(
            [shutil.which("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def query(self, expression):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        return json.loads(connection.getresponse().read())

    def until_up(self):
        deadline = time.time() + 60
        while time.time() < deadline:
            try:
                result = self.query("sum(up)")["data"]["result"]
                if result and result[0]["value"][1] == "1":
                    return
            except (OSError, ValueError):
                pass
            time.sleep(0.2)
        sys.exit("Prometheus did not reach the server")


def dashboard(path):
    with open(os.path.join(ROOT, "Configs", "grafana-dashboard.json")) as file:
        board = json.load(file)
    queries = [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel.get("targets", [])]
    variables = [variable["query"]["query"] for variable in board["templating"]["list"] if variable["type"] == "query"]
    server = Server(path)
    good = len(queries) > 20
    with tempfile.TemporaryDirectory() as folder:
        prometheus = Prometheus(folder, server.port)
        try:
            prometheus.until_up()
            load(server, 12)
            for title, expression in queries:
                asked = expression.replace("$__rate_interval", "10s").replace("$job", ".*").replace("$instance", ".*")
                answer = prometheus.query(asked)
                values = [float(series["value"][1]) for series in answer.get("data", {}).get("result", [])]
                if answer["status"] != "success" or not any(value == value for value in values):
                    good = False
                    print(f"  {title}: {asked}: {answer.get('error', values)}")
            for variable in variables:
                series = re.fullmatch(r"label_values\((.*), \w+\)", variable).group(1).replace("$job", ".*")
                good &= len(prometheus.query(series)["data"]["result"]) == 1
        finally:
            prometheus.process.terminate()
            prometheus.process.wait(30)
    good &= server.stop() == 0
    print(f"  {len(queries)} queries of {len(board['panels'])} panels and rows")
    return good


def unit(path):
    unit = os.path.join(ROOT, "Configs", "pensieve.service")
    with tempfile.TemporaryDirectory() as folder:
        # The program need not be installed here.
        copy = os.path.join(folder, "pensieve.service")
        with open(unit) as file:
            text = file.read()
        with open(copy, "w") as file:
            file.write(text.replace("/usr/local/bin/pensieve", os.path.abspath(path)))
        verify = subprocess.run(["systemd-analyze", "verify", copy], text=True, capture_output=True)
        security = subprocess.run(["systemd-analyze", "security", "--offline=true", copy], text=True, capture_output=True)
    exposure = float(re.search(r"exposure level for pensieve.service: ([0-9.]+)", security.stdout).group(1))
    # What the machine's other units are like is none of ours.
    faults = [line for line in verify.stderr.splitlines() if "pensieve" in line]
    print(f"  exposure {exposure}; faults {faults}")
    with tempfile.TemporaryDirectory() as folder:
        launcher = os.path.join(folder, "launcher")
        with open(launcher, "w") as file:
            words = [sys.executable, unit_restrictions.__file__, unit, os.path.abspath(path)]
            file.write(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        os.chmod(launcher, 0o755)
        server = Server(launcher)
        figures = server.get("/metrics").decode()
        finished = Stream(server, "What is 23 + 45?").read().finished
        with open(f"/proc/{server.process.pid}/status") as file:
            restricted = re.search(r"^Seccomp:\s+2$", file.read(), re.M) is not None
        status = server.stop()
    print(f"  under the unit's restrictions: seccomp on {restricted}, an answer {finished}, process figures "
          f"{'process_open_fds' in figures}, exit status {status}")
    return exposure <= 3 and not faults and restricted and finished and "process_open_fds" in figures and status == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=".build/release/pensieve")
    parser.add_argument("--only")
    options = parser.parse_args()
    failed = False
    for check in [metrics, dashboard, unit]:
        if options.only in (None, check.__name__):
            print(check.__name__, flush=True)
            good = check(options.server)
            failed |= not good
            print("  good" if good else "  FAILED", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
