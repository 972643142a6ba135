# The base is pinned by tag here; Dependabot pins its digest.
FROM python:3.13-slim AS build
COPY requirements/runtime.txt /tmp/
RUN python -m venv --without-pip /opt/redeliver \
 && python -m pip --python /opt/redeliver/bin/python install \
      --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /tmp/runtime.txt \
# actions-toolkit installs its own tests as a top-level package.
 && rm -r /opt/redeliver/lib/python3.13/site-packages/tests
COPY src/redeliver /opt/redeliver/lib/python3.13/site-packages/redeliver
RUN python -m compileall -q /opt/redeliver

FROM python:3.13-slim
COPY --from=build /opt/redeliver /opt/redeliver
# No USER and no WORKDIR: the runner mounts the workspace, owned by its own user, and expects root:
# https://docs.github.com/en/actions/reference/workflows-and-actions/dockerfile-support
# -I keeps that workspace off sys.path: a github.py in the caller's repository must never be
# imported in place of PyGithub. It ignores PYTHON* variables as well, hence -u and -X utf8.
ENTRYPOINT ["/opt/redeliver/bin/python", "-I", "-u", "-X", "utf8", "-m", "redeliver"]
