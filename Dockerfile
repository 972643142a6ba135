# The base is pinned by tag here; Dependabot pins its digest.
FROM python:3.13-slim
COPY requirements/runtime.txt /tmp/
COPY src/redeliver /opt/redeliver/lib/python3.13/site-packages/redeliver
# In one stage and one step, for the image is built anew at the start of each job that uses it, and
# pip leaves nothing behind that a stage would have to leave out. compileall takes every core, which
# pip does not. actions-toolkit installs its own tests as a top-level package.
RUN python -m venv --without-pip /opt/redeliver \
 && python -m pip --python /opt/redeliver/bin/python install \
      --no-cache-dir --no-compile --no-deps --require-hashes --only-binary :all: \
      -r /tmp/runtime.txt \
 && rm -r /opt/redeliver/lib/python3.13/site-packages/tests /tmp/runtime.txt \
 && python -m compileall -q -j 0 /opt/redeliver
# No USER and no WORKDIR: the runner mounts the workspace, owned by its own user, and expects root:
# https://docs.github.com/en/actions/reference/workflows-and-actions/dockerfile-support
# -I keeps that workspace off sys.path: a github.py in the caller's repository must never be
# imported in place of PyGithub. It ignores PYTHON* variables as well, hence -u and -X utf8.
ENTRYPOINT ["/opt/redeliver/bin/python", "-I", "-u", "-X", "utf8", "-m", "redeliver"]
