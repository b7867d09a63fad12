"""The web server as a process: `python -m web.serve`. Started by `masar run` with a socket already open, or by `masar serve`, which opens its own."""

import argparse
import logging
import socket
import sys

import uvicorn

from engine import installation, supervisor
from engine import settings as settings_
from engine.actors import users
from engine.casework import editions, judging
from engine.terminal import TROUBLE, explain, listen
from web.app import create_app


def main() -> None:
    asked = argparse.ArgumentParser(prog="masar serve")
    asked.add_argument("--socket", type=int, help="a listening socket handed down")
    asked.add_argument("--leash", type=int, help="a pipe whose end means: stop")
    given = asked.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    supervisor.end_with_parent(given.leash)
    try:
        settings = settings_.read()
        door = socket.socket(fileno=given.socket) if given.socket is not None else listen(settings.host, settings.port)
        with installation.opened(settings) as database:
            with database.reading(users.system()) as session:
                in_force = editions.current_or_none(session)
            if in_force:
                judging.learn(in_force.files, editions.house())  # the first who draws finds the judge there
            # No word of ours about the server's make; open event streams get three seconds when it stops.
            config = uvicorn.Config(create_app(settings, database), log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=3)
            uvicorn.Server(config).run(sockets=[door])
    except TROUBLE as trouble:
        explain(trouble)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
